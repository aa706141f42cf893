"""Arguments that only a network on Google Cloud has."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from aiplatform._shared.args import between
from aiplatform._shared.gcp.names import PROJECT, REGION
from aiplatform.network.gcp import planning
from aiplatform.network.inputs import GcpNetworkArgs as GcpNetworkArgs

PODS_PER_NODE: Final = 64
"""The default of the most pods of a node."""


@dataclass(frozen=True)
class GcpNetwork:
    """Options of a network on Google Cloud."""

    project: Annotated[str, PROJECT] | None = None
    """The id of the project. Required."""
    region: Annotated[str, REGION] | None = None
    """The region, `europe-west4`. Required."""
    google_apis: Literal["private", "restricted"] = "private"
    """What the names of Google's APIs resolve to. `private`: addresses of all APIs. `restricted`: addresses
    of the APIs that support VPC Service Controls, and no others. Default `private`."""
    private_services: bool = True
    """Whether services that Google runs in its own networks (Cloud SQL, Filestore) get addresses of this
    network. Default true."""
    nodes: Annotated[int, between(1, planning.MOST_NODES, "nodes")] | None = None
    """The number of nodes that addresses are planned for, all pools and zones together. Default: as many as
    hold `pods`."""
    pods_per_node: Annotated[int, between(planning.LEAST_PODS, planning.MOST_PODS, "pods")] = PODS_PER_NODE
    """The most pods of a node, 8 to 256; it takes twice as many addresses. Default 64: a node with
    accelerators runs few."""
