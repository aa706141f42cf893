"""Retention of data, and access to it.

Buckets, tables, datasets and machine images: that they are not public, that each reader is granted by name,
and that versions, releases and backups remain as long as they are needed.
"""
