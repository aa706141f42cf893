"""The size of a GPU pool and of its nodes, which quotas and checks before an update are calculated from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pulumi import Input

from aiplatform._shared.outputs import mapped
from aiplatform.gpu_pool.aws.rules import machines_of
from aiplatform.gpu_pool.capacity import Capacity
from aiplatform.gpu_pool.gcp import nodes as gcp_nodes

if TYPE_CHECKING:
    from aiplatform import accelerators
    from aiplatform.gpu_pool.args import GpuPoolSettings

AWS_TOPOLOGY: Final = tuple(f"topology.k8s.aws/network-node-layer-{layer}" for layer in (1, 2, 3))
"""EKS's labels for the network nodes of an instance. Types with four layers have another label, which others
lack (EKS user guide, "Topology-aware scheduling of ML workloads")."""
GCP_TOPOLOGY: Final = tuple(
    f"cloud.google.com/gce-topology-{level}" for level in ("block", "subblock", "host")
)
"""GKE's labels ("Schedule GKE workloads with Topology Aware Scheduling")."""
_AWS_FAMILIES: Final = ("p4", "p5", "p6", "trn")
"""Families whose nodes EKS labels: those of EC2's topology (EC2 user guide, "Prerequisites for Amazon EC2
topology") for which AWS's cloud controller requests it: P and Trn."""


@dataclass(frozen=True)
class Size:
    """min_nodes, max_nodes: of all entries of `capacity` together. vcpus, memory_gib: of the smallest
    machine. topology_labels: see the output of this name."""

    min_nodes: Input[int]
    max_nodes: Input[int]
    vcpus: int
    memory_gib: float
    topology_labels: list[str]


def size(pool: GpuPoolSettings) -> Size:
    """Return the size of a pool."""
    machines = [machine for entry in pool.capacity for machine in _machines(pool, entry)]
    per_slice = gcp_nodes.slice_nodes(pool) if pool.cloud == "gcp" else 1
    entries = len(pool.capacity)
    return Size(
        min_nodes=mapped(pool.min, lambda least: int(least) * per_slice) if _keeps_nodes(pool) else 0,
        max_nodes=mapped(pool.max, lambda most: int(most) * entries * per_slice),
        vcpus=min(machine.vcpus for machine in machines),
        memory_gib=float(min(machine.memory_gib for machine in machines)),
        topology_labels=_topology_labels(pool, machines),
    )


def _machines(
    pool: GpuPoolSettings, entry: Capacity
) -> list[accelerators.Machine | accelerators.gcp.Machine]:
    if pool.cloud == "gcp":
        return [gcp_nodes.machine_of(pool, entry)]
    return list(machines_of(pool, entry))


def _keeps_nodes(pool: GpuPoolSettings) -> bool:
    """Whether `min` applies to an entry: not to a Capacity Block, nor to nodes with a limited lifetime."""
    return any(not (entry.capacity_block or gcp_nodes.waits(entry)) for entry in pool.capacity)


def _topology_labels(
    pool: GpuPoolSettings, machines: list[accelerators.Machine | accelerators.gcp.Machine]
) -> list[str]:
    if pool.claimed:
        # Kueue's topologies do not count claimed devices (its documentation, "Dynamic Resource Allocation").
        return []
    if pool.cloud == "gcp":
        return list(GCP_TOPOLOGY) if gcp_nodes.machine(pool).fabric is not None else []
    return list(AWS_TOPOLOGY) if all(m.type.startswith(_AWS_FAMILIES) for m in machines) else []
