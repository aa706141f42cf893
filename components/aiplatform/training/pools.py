"""References to the pools that training runs on, with keys of the outputs of NodePool and GpuPool.

`NodePool.outputs` and `GpuPool.outputs` fit as they are, and a pool that the platform did not create is
stated in full.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from aiplatform._shared.args import between, length
from aiplatform._shared.kubernetes.names import DNS_LABEL, Taint
from aiplatform.accelerators.fabric import PodRequirements
from aiplatform.gpu_pool.outputs import GpuPoolOutputs
from aiplatform.node_pool.outputs import NodePoolOutputs
from aiplatform.training.inputs import TrainingGpuPoolReferenceArgs as TrainingGpuPoolReferenceArgs
from aiplatform.training.inputs import TrainingNodePoolReferenceArgs as TrainingNodePoolReferenceArgs

_VCPUS: Final = between(0, 10_000, "vCPUs")


@dataclass(frozen=True)
class TrainingNodePoolReference:
    """A pool of CPU nodes, as in NodePool.outputs."""

    passed_on: ClassVar[Collection[str]] = NodePoolOutputs.__annotations__.keys()
    resource: ClassVar[str] = ""
    resources_per_node: ClassVar[int] = 0
    device_class: ClassVar[str | None] = None
    topology: ClassVar[str | None] = None
    topology_labels: ClassVar[list[str]] = []
    pod_requirements: ClassVar[PodRequirements | None] = None

    name: Annotated[str, DNS_LABEL]
    """The pool's name."""
    node_selector: Annotated[dict[str, str], length(1, 50, "labels")]
    """The node selector of Pods for the pool."""
    taints: Annotated[list[Taint], length(0, 50, "taints")]
    """The taints of the nodes, which Pods must tolerate."""
    vcpus_per_node: Annotated[int, _VCPUS]
    """vCPUs of a node. 0: not known; a runtime then states `cpu` and `memory_gib`."""
    memory_gib_per_node: float
    """Memory of a node, GiB. 0: not known."""
    architecture: str = "x86_64"
    """`x86_64` or `arm64`. Default `x86_64`."""


@dataclass(frozen=True)
class TrainingGpuPoolReference:
    """A pool of nodes with accelerators, as in GpuPool.outputs."""

    passed_on: ClassVar[Collection[str]] = GpuPoolOutputs.__annotations__.keys()
    architecture: ClassVar[str] = "x86_64"

    name: Annotated[str, DNS_LABEL]
    """The pool's name."""
    resource: str
    """The resource that a Pod requests, `nvidia.com/gpu`."""
    resources_per_node: Annotated[int, between(1, 10_000, "devices")]
    """The quantity of the resource on a node."""
    node_selector: Annotated[dict[str, str], length(1, 50, "labels")]
    """The node selector of Pods for the pool."""
    taints: Annotated[list[Taint], length(0, 50, "taints")]
    """The taints of the nodes, which Pods must tolerate."""
    topology_labels: list[str]
    """The labels that state where a node is in the cloud's network, the widest first; empty where the cloud
    does not label the pool's machines."""
    vcpus_per_node: Annotated[int, _VCPUS]
    """vCPUs of a node. 0: not known; a runtime then states `cpu` and `memory_gib`."""
    memory_gib_per_node: float
    """Memory of a node, GiB. 0: not known."""
    device_class: str | None = None
    """The DeviceClass of accelerators that Pods claim. Default: Pods request the resource."""
    topology: str | None = None
    """The topology of a TPU slice, `4x4`. Default: no TPU."""
    efa_interfaces: int = 0
    """AWS: the quantity of `vpc.amazonaws.com/efa` on a node. Default 0."""
    network_interfaces: list[str] | None = None
    """Google Cloud: the Kubernetes Networks of GPUDirect. Default: none."""
    pod_requirements: PodRequirements | None = None
    """What a Pod needs to use the network between the accelerators of several nodes. Default: the nodes have
    no such network."""


TrainingPool = TrainingNodePoolReference | TrainingGpuPoolReference
