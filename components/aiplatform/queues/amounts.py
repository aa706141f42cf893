"""Amounts of resources: what Pods can use of a node, what a quota is of each resource, and how Kubernetes
writes it.

An amount is a whole number: millicores of `cpu`, MiB of `memory`, devices of an accelerator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiplatform.queues.args import Quota
    from aiplatform.queues.pools import Pool

CPU: Final = "cpu"
MEMORY: Final = "memory"
MIB_PER_GIB: Final = 1024
MILLI: Final = 1000

_RESERVED_CPU: Final = ((1_000, 0.06), (1_000, 0.01), (2_000, 0.005), (None, 0.0025))
"""(millicores, part of them that the kubelet and the system keep): GKE's and EKS's formula ("Plan GKE
Standard node sizes"; nodeadm's kube-reserved)."""
_RESERVED_MEMORY: Final = ((4_096, 0.25), (4_096, 0.20), (8_192, 0.10), (114_688, 0.06), (None, 0.02))
"""(MiB, part): GKE's formula. EKS keeps less: 11 MiB for each Pod that the node can have."""
_EVICTION: Final = 100
"""MiB below which the kubelet evicts Pods."""
_KERNEL: Final = 0.025
"""Part of a machine's memory that its operating system does not report."""
_DAEMON_SETS: Final = (500, 1_024)
"""Millicores and MiB of the Pods that every node runs: network, storage, device plugin, logs, metrics."""


def usable_cpu(vcpus: int) -> int:
    """Return the millicores that Pods of users can request on a node. The estimate is low on purpose: with a
    high one a workload is admitted whose Pods fit on no node."""
    cores = vcpus * MILLI
    return max(0, cores - _reserved(cores, _RESERVED_CPU) - _DAEMON_SETS[0])


def usable_memory(gib: float) -> int:
    """Return the MiB that Pods of users can request on a node, as low as `usable_cpu`."""
    mib = int(gib * MIB_PER_GIB)
    reserved = _reserved(mib, _RESERVED_MEMORY) + _EVICTION + int(mib * _KERNEL)
    return max(0, mib - reserved - _DAEMON_SETS[1])


def _reserved(amount: int, steps: Sequence[tuple[int | None, float]]) -> int:
    reserved, left = 0.0, amount
    for size, part in steps:
        step = left if size is None else min(size, left)
        reserved += step * part
        left -= step
    return int(reserved) + 1


def per_node(pool: Pool) -> dict[str, int]:
    """Return what Pods of users can request on a node of a pool: the accelerators, and CPU and memory where
    they are known."""
    amounts = {CPU: usable_cpu(pool.vcpus_per_node), MEMORY: usable_memory(pool.memory_gib_per_node)}
    known = {resource: amount for resource, amount in amounts.items() if amount}
    return {**known, pool.resource: pool.resources_per_node} if pool.resource else known


def unit(pool: Pool) -> tuple[str, int]:
    """Return the resource by which quotas of a pool are stated, and the amount that is one: an accelerator,
    or the millicores of a vCPU."""
    return (pool.resource, 1) if pool.resource else (CPU, MILLI)


def share(pool: Pool, quantity: int) -> dict[str, int]:
    """Return the part of a pool's nodes that belongs to a number of accelerators or vCPUs; without the
    resources of which the node's amount is not known."""
    node = per_node(pool)
    resource, one = unit(pool)
    stated = quantity * one
    whole = node.get(resource)
    if whole is None:
        return {resource: stated}
    return {name: stated if name == resource else amount * stated // whole for name, amount in node.items()}


def nominal(pool: Pool, quota: Quota) -> dict[str, int]:
    """Return the quota of each resource: what it states, and else the part that belongs to it."""
    amounts = share(pool, stated_quantity(pool, quota))
    if quota.cpu is not None:
        amounts[CPU] = quota.cpu * MILLI
    if quota.memory_gib is not None:
        amounts[MEMORY] = quota.memory_gib * MIB_PER_GIB
    return amounts


def limit(pool: Pool, quota: Quota, quantity: int) -> dict[str, int]:
    """Return a limit of borrowing or lending of each resource, in the proportion of the quota."""
    base = stated_quantity(pool, quota)
    if base == 0:
        return share(pool, quantity)
    return {resource: amount * quantity // base for resource, amount in nominal(pool, quota).items()}


def stated_quantity(pool: Pool, quota: Quota) -> int:
    """Return what a quota states in its pool's unit; 0 where that is missing, which the rules report."""
    return (quota.accelerators if pool.resource else quota.cpu) or 0


def written(resource: str, amount: int) -> str:
    """Return an amount as Kubernetes writes it (its canonical form, so that a refresh finds no
    difference)."""
    if resource == MEMORY:
        return _with_suffix(amount, 1024, ("Mi", "Gi", "Ti", "Pi"))
    if resource == CPU:
        return decimal(amount)
    return decimal(amount * MILLI)


def decimal(milli: int) -> str:
    """Return a number of thousandths as Kubernetes writes it: `500m`, `2`, `3k`."""
    return _with_suffix(milli, MILLI, ("m", "", "k", "M"))


def _with_suffix(amount: int, step: int, suffixes: Sequence[str]) -> str:
    if amount == 0:
        return "0"
    index = 0
    while amount % step == 0 and index + 1 < len(suffixes):
        amount, index = amount // step, index + 1
    return f"{amount}{suffixes[index]}"


def total(amounts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of amounts."""
    names = dict.fromkeys(name for entry in amounts for name in entry)
    return {name: sum(entry.get(name, 0) for entry in amounts) for name in names}
