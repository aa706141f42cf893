"""Nodes with accelerators."""

from typing import TypedDict

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._args import read
from aiplatform._kubernetes import TaintArgs
from aiplatform._references import NodeGroupReferenceArgs
from aiplatform.gpu_pool import nodes
from aiplatform.gpu_pool.args import CapacityArgs, GpuPoolArgs, GpuPoolSettings, SharingArgs

__all__ = ["CapacityArgs", "GpuPool", "GpuPoolArgs", "GpuPoolOutputs", "SharingArgs"]


class GpuPoolOutputs(TypedDict):
    """What others need to know of a GPU pool."""

    name: str
    """The pool's name: the value of the node label `ai-platform/pool`."""
    resource: str
    """What a Pod asks for: `nvidia.com/gpu` or `aws.amazon.com/neuron`."""
    resources_per_node: int
    """How many of it a node has, as it is shared."""
    efa_interfaces: int
    """How many `vpc.amazonaws.com/efa` a node has."""
    device_plugin: str
    """`nvidia` or `neuron`: the cluster must run that device plugin; `image`: the machine image brings it."""
    taints: list[TaintArgs]
    """What a Pod must tolerate."""
    node_groups: list[NodeGroupReferenceArgs]
    """One for each entry of `capacity`, in that order."""
    node_role_arn: Input[str]
    """The role of the nodes."""
    security_group_id: Input[str] | None
    """The security group of EFA's traffic, where there is EFA."""
    placement_group: Input[str] | None
    """The cluster placement group's name, where there is one."""


class GpuPool(ComponentResource):
    """Nodes with accelerators: for each entry of `capacity` a managed node group, with common labels and
    taints, ordered by priority for the Cluster Autoscaler, which grows and shrinks them."""

    name: Output[str]
    """The pool's name: the value of the node label `ai-platform/pool`."""
    resource: Output[str]
    """What a Pod asks for: `nvidia.com/gpu` or `aws.amazon.com/neuron`."""
    resources_per_node: Output[int]
    """How many of it a node has, as it is shared."""
    efa_interfaces: Output[int]
    """How many `vpc.amazonaws.com/efa` a node has."""
    device_plugin: Output[str]
    """`nvidia` or `neuron`: the cluster must run that device plugin; `image`: the machine image brings it."""
    taints: Output[list[TaintArgs]]
    """What a Pod must tolerate."""
    node_groups: Output[list[NodeGroupReferenceArgs]]
    """One for each entry of `capacity`, in that order."""
    node_role_arn: Output[str]
    """The role of the nodes."""
    security_group_id: Output[str | None]
    """The security group of EFA's traffic, where there is EFA."""
    placement_group: Output[str | None]
    """The cluster placement group's name, where there is one."""

    def __init__(self, name: str, args: GpuPoolArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(GpuPoolSettings, args, "GpuPoolArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.gpu_pool import aws

        super().__init__("aiplatform:index:GpuPool", name, {}, opts)
        built = aws.Builder(self, name, settings).build()
        self.outputs: GpuPoolOutputs = {
            "name": settings.name,
            "resource": settings.machine.card.resource,
            "resources_per_node": nodes.devices_of(settings),
            "efa_interfaces": settings.machine.efa_interfaces if settings.with_efa else 0,
            "device_plugin": nodes.device_plugin(settings),
            "taints": [
                {"key": taint.key, "value": taint.value, "effect": taint.effect}
                for taint in nodes.taints(settings)
            ],
            "node_groups": built.node_groups,
            "node_role_arn": built.role_arn,
            "security_group_id": built.security_group_id,
            "placement_group": built.placement_group,
        }
        for key, output in self.outputs.items():
            setattr(self, key, Output.from_input(output))
        self.register_outputs(self.outputs)
