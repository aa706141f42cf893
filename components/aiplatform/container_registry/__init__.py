"""Repositories of container images, and caches of other registries."""
