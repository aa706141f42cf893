"""The DeviceClass by which Pods claim GPUs (dynamic resource allocation)."""

from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes.node_labels import GPU_CLASS
from aiplatform.addons.install import Installed

WHOLE_GPU: Final = "device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'gpu'"
"""The devices of the class, in CEL."""


def create(parent: pulumi.ComponentResource, name: str, driver: Installed) -> None:
    """Create the class of whole GPUs. Kueue counts the claims that refer to it."""
    CustomResource(
        f"{name}-gpu-class",
        api_version="resource.k8s.io/v1",
        kind="DeviceClass",
        metadata=meta.ObjectMetaArgs(name=GPU_CLASS),
        spec={"selectors": [{"cel": {"expression": WHOLE_GPU}}]},
        opts=ResourceOptions(parent=parent, depends_on=driver.resources),
    )
