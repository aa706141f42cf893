"""The topics `node_pools`, `gpu_pools` and `node_images`."""

from __future__ import annotations

from pydantic import Field

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.kubernetes import image_versions
from aiplatform.gpu_pool.args import Capacity, CapacityArgs, CapacityType, GpuPoolArgs, GpuPoolSettings
from aiplatform.node_pool.args import NodePoolArgs, NodePoolSettings
from stacks.settings.base import Topic
from stacks.settings.generated import topic_of


class NodePool(topic_of(NodePoolArgs, NodePoolSettings, without=("name",), required=("max",))):
    """A pool of CPU nodes."""

    zones: list[str] = Field(default_factory=list)


class CapacityEntry(topic_of(CapacityArgs, Capacity)):
    """An entry of `capacity` with more than its type."""


class GpuPool(topic_of(GpuPoolArgs, GpuPoolSettings, without=("name",), required=("max",))):
    """A pool of nodes with accelerators. An entry of `capacity` may be just a type: `[spot, on_demand]`."""

    capacity: list[CapacityType | CapacityEntry] = Field(default_factory=lambda: ["on_demand"])
    zones: list[str] = Field(default_factory=list)

    @property
    def with_karpenter(self) -> bool:
        """Whether Karpenter creates its new nodes."""
        return self.node_provisioning in ("karpenter", "moving_to_karpenter")


Pool = NodePool | GpuPool


class NodeImages(Topic):
    """The releases of the machine images of nodes: the defaults of `image_version` of the system nodes and of
    all pools with node groups of EKS or node pools of GKE. An environment of the profile prod states them."""

    al2023: str | None = None
    """AWS: the release of the EKS AMI, `1.35.8-20260930`."""
    bottlerocket: str | None = None
    """AWS: the release of Bottlerocket, `1.64.0-6f4c2b1e`."""
    gke: str | None = None
    """Google Cloud: GKE's version of the nodes, `1.35.6-gke.1250000`."""

    def of(self, cloud: Cloud, image: str) -> str | None:
        """Return the release for nodes of a cloud. image: on AWS, `al2023` or `bottlerocket`."""
        release: str | None = getattr(self, image_versions.kind(cloud, image))
        return release
