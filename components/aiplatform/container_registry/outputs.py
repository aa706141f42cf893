"""`ContainerRegistry.outputs`."""

from typing import TypedDict

from pulumi import Input

from aiplatform.container_registry.output_types import ContainerRegistryCache, ContainerRegistryImages


class ContainerRegistryOutputs(TypedDict):
    """Outputs of ContainerRegistry."""

    cloud: Input[str]
    """`aws` or `gcp`."""
    repositories: list[ContainerRegistryImages]
    """The repositories."""
    caches: list[ContainerRegistryCache]
    """The caches."""
    mirrors: dict[str, Input[str]]
    """A registry -> its cache."""
    kms_key: Input[str]
    """The key of all images: its arn on AWS, its id on Google Cloud."""
