"""The pools of an environment before the cloud is asked: which machine types each may use, and what checks
the zones that offer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from aiplatform._shared.args import ArgumentError, Problem, read
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.node_pool import plan as cpu
from aiplatform.node_pool.args import NodePoolSettings
from stacks import arguments
from stacks.settings import Settings
from stacks.validation import placeholders
from stacks.validation.components import by_key

Offerings = Mapping[str, frozenset[str]]
"""Machine type -> zones that offer it."""
ZoneCheck = Callable[[Offerings], object]
"""Raises ArgumentError if the zones that offer the machine types are not those that a pool needs."""
MachineTypes = tuple[Sequence[str], ZoneCheck]
"""The machine types that a pool may use, and the check of their zones."""


@dataclass(frozen=True)
class Pool:
    """A pool: its topic in the file, the machine types that it may use, and the check of their zones."""

    topic: str
    machine_types: Sequence[str]
    check: ZoneCheck


def read_pools(
    settings: Settings, zones: Sequence[str], gpu_machines: Callable[[GpuPoolSettings], MachineTypes]
) -> tuple[list[Pool], list[Problem]]:
    """Return the pools, and the problems of those that name a zone that the network does not have.

    zones: of the network. gpu_machines: the cloud's machine types of a GPU pool.
    """
    references = placeholders.of(settings, zones)
    pools: list[Pool] = []
    problems: list[Problem] = []

    def add(topic: str, machines: Callable[[], MachineTypes]) -> None:
        try:
            pools.append(Pool(topic, *machines()))
        except ArgumentError as error:
            problems.extend(by_key(topic, error))

    def node_pool(name: str) -> MachineTypes:
        pool = settings.node_pools[name]
        args = arguments.node_pool(settings, name, pool, references.cluster, references.network)
        checked = read(NodePoolSettings, args, "NodePoolArgs")
        return checked.instance_types, partial(cpu.zones_for, checked)

    def gpu_pool(name: str) -> MachineTypes:
        pool = settings.gpu_pools[name]
        args = arguments.gpu_pool(settings, name, pool, references.cluster, references.network)
        return gpu_machines(read(GpuPoolSettings, args, "GpuPoolArgs"))

    for name in settings.node_pools:
        add(f"node_pools.{name}", partial(node_pool, name))
    for name in settings.gpu_pools:
        add(f"gpu_pools.{name}", partial(gpu_pool, name))
    return pools, problems


def machine_types(pools: Sequence[Pool]) -> list[str]:
    """Return every machine type that one of the pools may use."""
    return sorted({machine_type for pool in pools for machine_type in pool.machine_types})


def not_offered(pools: Sequence[Pool], offerings: Offerings) -> list[Problem]:
    """Return what the pools need and the zones do not offer."""
    problems: list[Problem] = []
    for pool in pools:
        try:
            pool.check(offerings)
        except ArgumentError as error:
            problems += by_key(pool.topic, error)
    return problems
