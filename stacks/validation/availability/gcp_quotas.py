"""Whether Compute Engine's quotas of the project suffice: for the first nodes of pools, and for their `max`.

GKE accepts a node pool over a quota and reports ERROR for it much later, so the quotas are read before
anything is registered, if the project has the Cloud Quotas API switched on. A new project has no quota of
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

from aiplatform._shared.args import Problem, read
from aiplatform._shared.gcp import node_pools as gke
from aiplatform._shared.gcp.machine_types import boot_disk
from aiplatform._shared.gcp.names import api_is_off
from aiplatform._shared.outputs import plain
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.gcp import plan as gcp_plan
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.plan import zones_for
from stacks import arguments
from stacks.settings import Settings
from stacks.validation import placeholders

GPUS: Final = "GPUS-ALL-REGIONS-per-project"
DISKS: Final = "SSD-TOTAL-GB-per-project-region"
_OF_ALL: Final = frozenset({"e2", "n1"})
_OF_A_FAMILY: Final = frozenset({"n2", "n2d", "c2", "c2d", "t2d", "t2a", "c3", "c3d"})
"""Families with a separate quota of vCPUs; newer ones share one by dimension, and are not checked."""
_VCPUS: Final = re.compile(r".*?-(?:custom-)?[a-z]*-?(\d+)(?:-\d+)?(?:-ext)?")


@dataclass(frozen=True)
class Demand:
    """What a pool takes of a quota. initial: with its first nodes. maximum: with all that it may have."""

    topic: str
    quota: str
    initial: int
    maximum: int


def problems(
    settings: Settings, zones: Sequence[str], offerings: gke.Offerings, options: pulumi.InvokeOptions
) -> list[Problem]:
    """Return the quotas that the first nodes exceed. Warns of those that pools may grow beyond.

    zones: of the network. offerings: of the pools' machine types.
    """
    demands = list(_demands(settings, zones, offerings))
    exceeded: list[Problem] = []
    for quota in dict.fromkeys(demand.quota for demand in demands if demand.maximum):
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
            of_quota = [demand for demand in demands if demand.quota == quota]
            exceeded += _exceeded(of_quota, limit, settings)
    return exceeded


def limit_of(infos: Sequence[Any], region: str) -> int | None:
    """Return the value of a quota in a region; None if it is not known, or unlimited."""
    # The more specific come first.
    for info in infos:
        dimensions: Mapping[str, str] = info.dimensions or {}
        here = not dimensions or dimensions == {"region": region}
        if here and {region, "global"} & set(info.applicable_locations) and info.details:
            limit = int(info.details[0].value)
            return limit if limit >= 0 else None
    return None


def _exceeded(demands: Sequence[Demand], limit: int, settings: Settings) -> list[Problem]:
    environment, quota = settings.environment, demands[0].quota
    initial = sum(demand.initial for demand in demands)
    maximum = sum(demand.maximum for demand in demands)
    location = "" if quota == GPUS else f" in {environment.region}"
    stated_limit = f"the quota {quota} of {environment.project_id}{location} is {limit}"
    if initial > limit:
        counted = [demand for demand in demands if demand.initial]
        listed = ", ".join(f"{demand.topic} {demand.initial}" for demand in counted)
        largest = max(counted, key=lambda demand: demand.initial)
        advice = "lower `min`, or request a higher quota (IAM & Admin, Quotas)"
        reason = (
            f"the first nodes need {initial} ({listed}); expected at most {limit}: {stated_limit}; {advice}"
        )
        return [Problem(f"{largest.topic}.min", reason)]
    if maximum > limit:
        pools = " and ".join(dict.fromkeys(demand.topic for demand in demands))
        pulumi.log.warn(f"{pools} may grow to {maximum}, but {stated_limit}, where they stop")
    return []


def _demands(settings: Settings, zones: Sequence[str], offerings: gke.Offerings) -> Iterator[Demand]:
    system = settings.cluster.system_nodes
    size = gke.Size(system.min, system.max, "BALANCED")
    yield from _cpus(
        "cluster.system_nodes", system.instance_types[0], system.disk_gib, size, zones[: system.max]
    )
    references = placeholders.of(settings, zones)
    cluster, network = references.cluster, references.network
    for name, node_pool in settings.node_pools.items():
        args = arguments.node_pool(settings, name, node_pool, cluster, network)
        cpu = read(NodePoolSettings, args, "NodePoolArgs")
        used_zones = zones_for(cpu, offerings)
        for index, capacity in enumerate(cpu.capacity):
            if capacity == "on_demand":
                least = plain(cpu.min) if index == 0 else 0
                size = gke.Size(least, plain(cpu.max), "BALANCED")
                disk = plain(cpu.disk_gib)
                yield from _cpus(f"node_pools.{name}", cpu.instance_types[0], disk, size, used_zones)
    for name, gpu_pool in settings.gpu_pools.items():
        args = arguments.gpu_pool(settings, name, gpu_pool, cluster, network)
        gpu = read(GpuPoolSettings, args, "GpuPoolArgs")
        plans = gcp_plan.plan(gpu)
        for plan, used_zones in zip(plans, gcp_plan.zones_for(gpu, plans, offerings).values(), strict=True):
            # A reservation counted when it was created; spot and flex-start have separate quotas.
            size = gke.Size(plain(plan.minimum), plain(plan.maximum), "ANY", fixed=plan.stays)
            topic = f"gpu_pools.{name}"
            if plan.entry.type == "on_demand" and not plan.machine.is_tpu:
                yield _demand(topic, GPUS, size, used_zones, gpu.count)
            if plan.machine.boot_disk == "pd-balanced":
                yield _demand(topic, DISKS, size, used_zones, plain(gpu.disk_gib))


def _cpus(topic: str, machine: str, disk_gib: int, size: gke.Size, zones: Sequence[str]) -> Iterator[Demand]:
    if boot_disk(machine) == "pd-balanced":
        yield _demand(topic, DISKS, size, zones, disk_gib)
    family, count = machine.partition("-")[0], _VCPUS.fullmatch(machine)
    if count is not None and family in _OF_ALL | _OF_A_FAMILY:
        quota = (
            "CPUS-per-project-region" if family in _OF_ALL else f"{family.upper()}-CPUS-per-project-region"
        )
        yield _demand(topic, quota, size, zones, int(count.group(1)))


def _demand(topic: str, quota: str, size: gke.Size, zones: Sequence[str], of_a_node: int) -> Demand:
    zone_count = len(size.within(zones))
    initial = size.maximum if size.fixed else size.initial(zone_count) * zone_count
    return Demand(topic, quota, initial * of_a_node, size.maximum * of_a_node)
