"""References to the pools that models are served on, with keys of the outputs of NodePool and GpuPool.

`NodePool.outputs` and `GpuPool.outputs` fit as they are, and a pool that the platform did not create is
stated in full.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pulumi import Input

from aiplatform._shared.args import between, length
from aiplatform._shared.kubernetes.names import DNS_LABEL, Taint
from aiplatform.gpu_pool.outputs import GpuPoolOutputs
from aiplatform.node_pool.outputs import NodePoolOutputs
from aiplatform.serving.inputs import ServingGpuPoolReferenceArgs as ServingGpuPoolReferenceArgs
from aiplatform.serving.inputs import ServingNodePoolReferenceArgs as ServingNodePoolReferenceArgs

_VCPUS: Final = between(0, 10_000, "vCPUs")


@dataclass(frozen=True)
class ServingNodePoolReference:
    """A pool of CPU nodes, as in NodePool.outputs."""

    passed_on: ClassVar[Collection[str]] = NodePoolOutputs.__annotations__.keys()
    resource: ClassVar[str] = ""
    resources_per_node: ClassVar[int] = 0
    device_class: ClassVar[str | None] = None

    name: Annotated[str, DNS_LABEL]
    """The pool's name."""
    node_selector: Annotated[dict[str, str], length(1, 50, "labels")]
    """The node selector of Pods for the pool."""
    taints: Annotated[list[Taint], length(0, 50, "taints")]
    """The taints of the nodes, which Pods must tolerate."""
    vcpus_per_node: Annotated[int, _VCPUS]
    """vCPUs of a node. 0: not known."""
    memory_gib_per_node: float
    """Memory of a node, GiB. 0: not known."""
    architecture: str = "x86_64"
    """`x86_64` or `arm64`. Default `x86_64`."""


@dataclass(frozen=True)
class ServingGpuPoolReference:
    """A pool of nodes with accelerators, as in GpuPool.outputs."""

    passed_on: ClassVar[Collection[str]] = GpuPoolOutputs.__annotations__.keys()
    architecture: ClassVar[str] = "x86_64"

    name: Annotated[str, DNS_LABEL]
    """The pool's name."""
    resource: str
    """The resource that a Pod requests, `nvidia.com/gpu`."""
    resources_per_node: Annotated[int, between(1, 10_000, "devices")]
    """The quantity of the resource on a node."""
    max_nodes: Input[int]
    """Maximum of nodes of the pool."""
    node_selector: Annotated[dict[str, str], length(1, 50, "labels")]
    """The node selector of Pods for the pool."""
    taints: Annotated[list[Taint], length(0, 50, "taints")]
    """The taints of the nodes, which Pods must tolerate."""
    vcpus_per_node: Annotated[int, _VCPUS]
    """vCPUs of a node. 0: not known; a runtime then states `cpu` and `memory_gib`."""
    memory_gib_per_node: float
    """Memory of a node, GiB. 0: not known."""
    device_class: str | None = None
    """The DeviceClass of accelerators that Pods claim. Default: Pods request the resource."""


ServingPool = ServingNodePoolReference | ServingGpuPoolReference
