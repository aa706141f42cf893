"""Types of capacity for the nodes of a GPU pool."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, length
from aiplatform.gpu_pool.inputs import CapacityArgs as CapacityArgs

CapacityType = Literal["reserved", "spot", "on_demand", "flex_start", "queued"]

WAITS: Final = ("flex_start", "queued")
"""Types of capacity from a queue: Google's Dynamic Workload Scheduler."""
LONGEST_RUN: Final = 168
"""Maximum lifetime of a node from a queue, hours ("About flex-start")."""


@dataclass(frozen=True)
class Capacity:
    """A type of capacity for nodes. There is no maximum price for spot: the clouds charge the spot price,
    which is at most the on-demand price."""

    type: CapacityType
    """`reserved`, `spot` or `on_demand`; on Google Cloud also `flex_start` (nodes are created when there is
    capacity, for at most seven days) and `queued` (as flex_start, but all nodes of a ProvisioningRequest at
    once, and no node for other Pods)."""
    reservation_id: Input[str] | None = None
    """`reserved` only, and required there. AWS: the capacity reservation, `cr-...`. Google Cloud: the
    reservation's name, or `projects/PROJECT/reservations/NAME` for one that another project shares; a block
    of it with `/reservationBlocks/BLOCK` after the name. Resources are named by the id; where it is an
    output, by the position of the entry, which must then stay the same."""
    capacity_block: bool = False
    """`reserved` only: whether the reservation is a Capacity Block for ML. Its node group has a minimum of 0,
    whatever `min` is, because nothing can be launched before the block begins; EKS drains it 40 minutes
    before the end. It keeps its versions of Kubernetes and of the launch template: EKS upgrades it only at
    size 0, and the next block has another node group. Default false: an on-demand capacity reservation."""
    zone: str | None = None
    """`reserved` only: the reservation's zone, by its id. Default: the pool's, where it has only one."""
    instance_types: Annotated[list[str], length(1, 20, "instance types"), distinct] | None = None
    """Instance types with this accelerator and count, in order of preference; on Google Cloud one machine
    type. Default: for `spot` on AWS all types of the catalog, else its preferred one."""
    max_run_hours: Input[Annotated[int, between(1, LONGEST_RUN, "hours")]] | None = None
    """`flex_start` and `queued` only: hours until a node is deleted, 1 to 168. Default 168, seven days."""

    def check(self) -> Iterator[Problem]:
        """Return the problems of keys that do not fit the type."""
        if self.type == "reserved":
            if self.reservation_id is None:
                yield Problem(
                    "reservation_id",
                    "missing; expected a capacity reservation: its id (cr-...) on AWS, its name on Google "
                    "Cloud",
                )
            return
        if self.reservation_id is not None:
            never = self.type == "spot" or self.type in WAITS
            hint = f": {self.type} nodes never run in a reservation" if never else ""
            yield Problem(
                "reservation_id", f"got a reservation with type {self.type!r}; expected 'reserved'{hint}"
            )
        if self.capacity_block:
            yield Problem("capacity_block", f"got true with type {self.type!r}; expected 'reserved'")
        if self.zone is not None:
            yield Problem("zone", f"got a zone with type {self.type!r}; expected it in the pool's `zones`")
