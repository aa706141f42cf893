"""The origin of images, charts and versions.

What runs comes from an allowed registry, at a version that does not change, and is scanned or verified
before it runs.
"""
