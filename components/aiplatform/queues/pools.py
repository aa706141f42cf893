"""References to pools, with keys of the outputs of NodePool and GpuPool.

Every key is required: `NodePool.outputs` and `GpuPool.outputs` fit as they are, and a pool that the platform
did not create is stated in full.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pulumi import Input

from aiplatform._shared.args import between, length
from aiplatform._shared.kubernetes.names import DNS_LABEL, Taint
from aiplatform.gpu_pool.outputs import GpuPoolOutputs
from aiplatform.node_pool.outputs import NodePoolOutputs
from aiplatform.queues.inputs import GpuPoolReferenceArgs as GpuPoolReferenceArgs
from aiplatform.queues.inputs import NodePoolReferenceArgs as NodePoolReferenceArgs

MOST_LABELS: Final = 8
MOST_TAINTS: Final = 8
"""Of a ResourceFlavor (Kueue's definition, `nodeLabels` and `tolerations`)."""
QUEUED: Final = "queued"
"""The type of capacity for which Kueue requests nodes: Google Cloud's queued provisioning."""


@dataclass(frozen=True)
class NodePoolReference:
    """A pool of CPU nodes, as in NodePool.outputs."""

    passed_on: ClassVar[Collection[str]] = NodePoolOutputs.__annotations__.keys()
    resource: ClassVar[str] = ""
    resources_per_node: ClassVar[int] = 0
    capacity_types: ClassVar[list[str]] = []
    topology_labels: ClassVar[list[str]] = []

    name: Annotated[str, DNS_LABEL]
    """The pool's name, a DNS label; its flavor has the same."""
    node_selector: Annotated[dict[str, str], length(1, MOST_LABELS, "labels")]
    """The node selector of Pods for the pool, 1 to 8 labels."""
    taints: Annotated[list[Taint], length(0, MOST_TAINTS, "taints")]
    """The taints of the nodes, at most 8: Kueue adds the tolerations to what it admits to the pool."""
    min_nodes: Input[int]
    """Minimum of nodes of the pool."""
    max_nodes: Input[int]
    """Maximum of nodes of the pool."""
    vcpus_per_node: Annotated[int, between(0, 10_000, "vCPUs")]
    """vCPUs of a node. 0: not known; quotas then state CPU and memory."""
    memory_gib_per_node: float
    """Memory of a node, GiB. 0: not known."""


@dataclass(frozen=True)
class GpuPoolReference:
    """A pool of nodes with accelerators, as in GpuPool.outputs."""

    passed_on: ClassVar[Collection[str]] = GpuPoolOutputs.__annotations__.keys()

    name: Annotated[str, DNS_LABEL]
    """The pool's name, a DNS label; its flavor has the same."""
    resource: str
    """The resource that a Pod requests, `nvidia.com/gpu`."""
    resources_per_node: Annotated[int, between(1, 10_000, "devices")]
    """The quantity of the resource on a node."""
    capacity_types: list[str]
    """The pool's types of capacity. For a pool with `queued` alone (Google Cloud), Kueue requests the nodes
    of a workload by a ProvisioningRequest before it admits it."""
    node_selector: Annotated[dict[str, str], length(1, MOST_LABELS, "labels")]
    """The node selector of Pods for the pool, 1 to 8 labels."""
    taints: Annotated[list[Taint], length(0, MOST_TAINTS, "taints")]
    """The taints of the nodes, at most 8: Kueue adds the tolerations to what it admits to the pool."""
    topology_labels: list[str]
    """The labels that state where a node is in the cloud's network, the widest first; empty where the cloud
    does not label the pool's machines."""
    min_nodes: Input[int]
    """Minimum of nodes of the pool."""
    max_nodes: Input[int]
    """Maximum of nodes of the pool."""
    vcpus_per_node: Annotated[int, between(0, 10_000, "vCPUs")]
    """vCPUs of a node. 0: not known; quotas then state CPU and memory."""
    memory_gib_per_node: float
    """Memory of a node, GiB. 0: not known."""


Pool = NodePoolReference | GpuPoolReference


def is_queued(pool: Pool) -> bool:
    """Whether only a ProvisioningRequest adds nodes to the pool."""
    return pool.capacity_types == [QUEUED]
