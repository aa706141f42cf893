"""The topics `node_pools` and `gpu_pools`."""

from __future__ import annotations

from pydantic import Field

from aiplatform.gpu_pool.args import Capacity, CapacityArgs, CapacityType, GpuPoolArgs, GpuPoolSettings
from aiplatform.node_pool.args import NodePoolArgs, NodePoolSettings
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
