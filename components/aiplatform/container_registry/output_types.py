"""Entries of lists that a component has as outputs."""

from typing import TypedDict

from pulumi import Input


class ContainerRegistryImages(TypedDict):
    """A repository of images."""

    name: str
    """Its name in the arguments."""
    url: Input[str]
    """The URL to push and pull its images."""


class ContainerRegistryCache(TypedDict):
    """A cache of another registry."""

    upstream: str
    """The registry."""
    url: Input[str]
    """What replaces the registry in the names of images."""
