"""The origin of images, charts and versions."""
