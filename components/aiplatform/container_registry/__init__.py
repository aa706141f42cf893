"""Repositories of container images, and caches of other registries."""

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform.container_registry.args import (
    ContainerRegistryArgs,
    ContainerRegistryCacheArgs,
    ContainerRegistrySettings,
)
from aiplatform.container_registry.output_types import ContainerRegistryCache, ContainerRegistryImages
from aiplatform.container_registry.outputs import ContainerRegistryOutputs

__all__ = [
    "ContainerRegistry",
    "ContainerRegistryArgs",
    "ContainerRegistryCache",
    "ContainerRegistryCacheArgs",
    "ContainerRegistryImages",
    "ContainerRegistryOutputs",
]


class ContainerRegistry(ComponentResource):
    """Repositories of container images with immutable tags, scanned, encrypted by a dedicated key, with
    deletion of old images; and caches, through which images of other registries are pulled.

    Other components take `mirrors` as their argument of this name.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    repositories: KnownOutput[list[ContainerRegistryImages]]
    """The repositories."""
    caches: KnownOutput[list[ContainerRegistryCache]]
    """The caches."""
    mirrors: KnownOutput[dict[str, Input[str]]]
    """A registry -> its cache."""
    kms_key: Output[str]
    """The key of all images: its arn on AWS, its id on Google Cloud."""

    def __init__(self, name: str, args: ContainerRegistryArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(ContainerRegistrySettings, args, "ContainerRegistryArgs")
        super().__init__("aiplatform:index:ContainerRegistry", name, {}, opts)
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        if settings.cloud == "gcp":
            from aiplatform.container_registry import gcp as cloud
        else:
            from aiplatform.container_registry import aws as cloud
        self.outputs: ContainerRegistryOutputs = cloud.build(self, name, settings)
        publish(self, self.outputs)
