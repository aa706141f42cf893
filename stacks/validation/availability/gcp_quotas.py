"""Whether Compute Engine's quotas of the project suffice: for the nodes that pools begin with, and grown.

GKE accepts a node pool over a quota and reports ERROR for it much later, so the quotas are read before
anything is registered, where the project has the Cloud Quotas API switched on. A new project has no quota of
GPUs, and 500 GB of SSD persistent disk in a region. Source of the quotas' ids: Compute Engine, "Allocation
quotas"; Cloud Quotas API reference, QuotaInfo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_gcp import cloudquota

from aiplatform._shared.args import read
from aiplatform._shared.gcp import node_pools as gke
from aiplatform._shared.gcp.machine_types import boot_disk
from aiplatform._shared.gcp.names import api_is_off
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.gcp import plan as gcp_plan
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.plan import zones_for
from stacks import arguments, to_be
from stacks.offerings.found import Found
from stacks.settings import Settings

GPUS: Final = "GPUS-ALL-REGIONS-per-project"
DISKS: Final = "SSD-TOTAL-GB-per-project-region"
_OF_ALL: Final = frozenset({"e2", "n1"})
_OF_A_FAMILY: Final = frozenset({"n2", "n2d", "c2", "c2d", "t2d", "t2a", "c3", "c3d"})
"""Families whose vCPUs have a quota of their own; newer ones share one by dimension, and are not checked."""
_VCPUS: Final = re.compile(r".*?-(?:custom-)?[a-z]*-?(\d+)(?:-\d+)?(?:-ext)?")


@dataclass(frozen=True)
class Demand:
    """What a pool takes of a quota: with the nodes that it begins with, and with all that it may have."""

    topic: str
    quota: str
    first: int
    most: int


def problems(
    settings: Settings, zones: Sequence[str], offered: gke.Offerings, options: pulumi.InvokeOptions
) -> list[Found]:
    """The quotas that the first nodes exceed. Warns of those that pools may grow beyond.

    zones: of the network. offered: by Compute Engine, of the pools' machine types.
    """
    demands = list(_demands(settings, zones, offered))
    found: list[Found] = []
    for quota in dict.fromkeys(each.quota for each in demands if each.most):
        try:
            info = cloudquota.get_s_quota_info(
                parent=f"projects/{settings.environment.project_id}",
                service="compute.googleapis.com",
                quota_id=quota,
                opts=options,
            )
        except Exception as error:  # noqa: BLE001 - a principal that cannot read quotas can apply all the same
            if not api_is_off(error):
                reason = " ".join(str(error).split())
                pulumi.log.warn(
                    f"Compute Engine's quotas are not checked, as reading {quota} failed: {reason}"
                )
            break
        limit = limit_of(info.dimensions_infos, settings.environment.region)
        if limit is not None:
            found += _exceeded([each for each in demands if each.quota == quota], limit, settings)
    return found


def limit_of(infos: Sequence[Any], region: str) -> int | None:
    """The value of a quota in a region; None where it is not known, or unlimited."""
    # The more specific come first.
    for info in infos:
        dimensions: Mapping[str, str] = info.dimensions or {}
        here = not dimensions or dimensions == {"region": region}
        if here and {region, "global"} & set(info.applicable_locations) and info.details:
            limit = int(info.details[0].value)
            return limit if limit >= 0 else None
    return None


def _exceeded(demands: Sequence[Demand], limit: int, settings: Settings) -> list[Found]:
    environment, quota = settings.environment, demands[0].quota
    first, most = sum(each.first for each in demands), sum(each.most for each in demands)
    where = "" if quota == GPUS else f" in {environment.region}"
    words = f"the quota {quota} of {environment.project_id}{where} is {limit}"
    if first > limit:
        parts = [each for each in demands if each.first]
        listed = ", ".join(f"{each.topic} {each.first}" for each in parts)
        largest = max(parts, key=lambda each: each.first)
        more = "request more of it (IAM & Admin, Quotas) or lower `min`"
        return [(f"{largest.topic}.min", f"the first nodes need {first} ({listed}), but {words}: {more}")]
    if most > limit:
        pools = " and ".join(dict.fromkeys(each.topic for each in demands))
        pulumi.log.warn(f"{pools} may grow to {most}, but {words}, where they stop")
    return []


def _demands(settings: Settings, zones: Sequence[str], offered: gke.Offerings) -> Iterator[Demand]:
    system = settings.cluster.system_nodes
    size = gke.Size(system.min, system.max, "BALANCED")
    yield from _cpus(
        "cluster.system_nodes", system.instance_types[0], system.disk_gib, size, zones[: system.max]
    )
    there, here = to_be.network_to_be(settings, zones), to_be.cluster_to_be(settings)
    for name, node_pool in settings.node_pools.items():
        args = arguments.node_pool(settings, name, node_pool, here, there)
        cpu = read(NodePoolSettings, args, "NodePoolArgs")
        where = zones_for(cpu, offered)
        for index, capacity in enumerate(cpu.capacity):
            if capacity == "on_demand":
                size = gke.Size(cpu.min if index == 0 else 0, cpu.max, "BALANCED")
                yield from _cpus(f"node_pools.{name}", cpu.instance_types[0], cpu.disk_gib, size, where)
    for name, given in settings.gpu_pools.items():
        gpu = read(GpuPoolSettings, arguments.gpu_pool(settings, name, given, here, there), "GpuPoolArgs")
        plans = gcp_plan.plan(gpu)
        for each, where in zip(plans, gcp_plan.zones_for(gpu, plans, offered).values(), strict=True):
            # What is reserved counted when it was; spot and flex-start have quotas of their own.
            size = gke.Size(each.minimum, each.maximum, "ANY", fixed=each.stays)
            topic = f"gpu_pools.{name}"
            if each.entry.type == "on_demand" and not each.machine.is_tpu:
                yield _demand(topic, GPUS, size, where, gpu.count)
            if each.machine.boot_disk == "pd-balanced":
                yield _demand(topic, DISKS, size, where, gpu.disk_gib)


def _cpus(topic: str, machine: str, disk_gib: int, size: gke.Size, zones: Sequence[str]) -> Iterator[Demand]:
    if boot_disk(machine) == "pd-balanced":
        yield _demand(topic, DISKS, size, zones, disk_gib)
    family, count = machine.partition("-")[0], _VCPUS.fullmatch(machine)
    if count is not None and family in _OF_ALL | _OF_A_FAMILY:
        quota = (
            "CPUS-per-project-region" if family in _OF_ALL else f"{family.upper()}-CPUS-per-project-region"
        )
        yield _demand(topic, quota, size, zones, int(count.group(1)))


def _demand(topic: str, quota: str, size: gke.Size, zones: Sequence[str], each: int) -> Demand:
    used = len(size.within(zones))
    first = size.maximum if size.fixed else size.initial(used) * used
    return Demand(topic, quota, first * each, size.maximum * each)
