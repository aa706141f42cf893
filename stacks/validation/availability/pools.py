"""The pools of an environment, before the cloud is asked: which machines each may use, and what judges their
zones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from aiplatform._shared.args import ArgumentError, read
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.node_pool import plan as cpu
from aiplatform.node_pool.args import NodePoolSettings
from stacks import arguments, to_be
from stacks.offerings.found import Found, placed
from stacks.settings import Settings

Offered = Mapping[str, frozenset[str]]
"""Machine type -> zones that offer it."""
Judge = Callable[[Offered], object]
"""Raises ArgumentError where what is offered does not do."""


@dataclass(frozen=True)
class Pool:
    """A pool: its topic in the file, the machine types that it may use, and what judges their zones."""

    topic: str
    types: Sequence[str]
    judge: Judge


def of(
    settings: Settings,
    zones: Sequence[str],
    gpus: Callable[[GpuPoolSettings], tuple[Sequence[str], Judge]],
    found: list[Found],
) -> list[Pool]:
    """All pools but those that name a zone that the network has not: these problems go to `found`.

    gpus: the cloud's machine types of a GPU pool, and what judges them.
    """
    there, here = to_be.network_to_be(settings, zones), to_be.cluster_to_be(settings)
    pools: list[Pool] = []

    def add(topic: str, pool: Callable[[], tuple[Sequence[str], Judge]]) -> None:
        try:
            pools.append(Pool(topic, *pool()))
        except ArgumentError as error:
            found.extend(placed(topic, error))

    def node_pool(name: str) -> tuple[Sequence[str], Judge]:
        given = arguments.node_pool(settings, name, settings.node_pools[name], here, there)
        checked = read(NodePoolSettings, given, "NodePoolArgs")
        return checked.instance_types, partial(cpu.zones_for, checked)

    def gpu_pool(name: str) -> tuple[Sequence[str], Judge]:
        given = arguments.gpu_pool(settings, name, settings.gpu_pools[name], here, there)
        return gpus(read(GpuPoolSettings, given, "GpuPoolArgs"))

    for name in settings.node_pools:
        add(f"node_pools.{name}", partial(node_pool, name))
    for name in settings.gpu_pools:
        add(f"gpu_pools.{name}", partial(gpu_pool, name))
    return pools


def types_of(pools: Sequence[Pool]) -> list[str]:
    """Every machine type that one of the pools may use."""
    return sorted({type_ for pool in pools for type_ in pool.types})


def judged(pools: Sequence[Pool], offered: Offered, found: Sequence[Found]) -> list[Found]:
    """What was found, and what the pools cannot have of what is offered."""
    problems = list(found)
    for pool in pools:
        try:
            pool.judge(offered)
        except ArgumentError as error:
            problems += placed(pool.topic, error)
    return list(dict.fromkeys(problems))
