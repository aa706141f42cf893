"""Whether EC2's quotas of the account suffice: for the `min` of pools, and for their `max`.

EKS accepts a node group over a quota, waits for its nodes and reports CREATE_FAILED much later, so the quotas
are read before anything is registered. A new account may run 5 vCPUs of ordinary instances and none with
accelerators. Source of codes and defaults: EC2 user guide, "Amazon EC2 quotas" and "Spot Instance quotas".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import pulumi
from pulumi_aws import ec2, servicequotas

from aiplatform._shared.args import Problem, read
from aiplatform._shared.outputs import plain
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import plan as gpu
from stacks import arguments
from stacks.settings import Settings
from stacks.validation import placeholders
from stacks.validation.availability.pools import Offerings

_STANDARD: Final = frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"})
_G: Final = frozenset({"g", "gr", "vt"})
ON_DEMAND: Final = (
    ("L-1216C47A", _STANDARD),
    ("L-DB2E81BA", _G),
    ("L-417A185B", frozenset({"p"})),
    ("L-1945791B", frozenset({"inf"})),
    ("L-2C3B7624", frozenset({"trn"})),
)
SPOT: Final = (
    ("L-34B43A08", _STANDARD),
    ("L-3819A6DF", _G),
    ("L-7212CCBC", frozenset({"p2", "p3", "p4"})),
    ("L-C4BD4855", frozenset({"p5"})),
    ("L-B5D1601B", frozenset({"inf"})),
    ("L-6B0D517C", frozenset({"trn"})),
)
"""(quota code, families of instance types that count against it): the letters before the first digit, or with
it. Types that are not here (spot of the newest families) are not checked."""
_FAMILY: Final = re.compile(r"([a-z]+)(\d*)")
_ABSENT: Final = "NoSuchResource"
"""The error of a quota that the region does not have, while it may have the others (Service Quotas API
reference, GetServiceQuota: NoSuchResourceException)."""
_PERMISSIONS: Final = "servicequotas:GetServiceQuota and servicequotas:GetAWSDefaultServiceQuota"


@dataclass(frozen=True)
class Demand:
    """What one node group takes of a quota, in vCPUs.

    topic: of the file. minimum: of the nodes that always run, by the smallest of the instance types, so that
    a problem is certain. maximum: by the type that the group prefers.
    """

    topic: str
    code: str
    minimum: int
    maximum: int


def problems(
    settings: Settings, zones: Sequence[str], offerings: Offerings, options: pulumi.InvokeOptions
) -> list[Problem]:
    """Return the quotas that nodes that always run exceed.

    Warns of a quota that pools may grow beyond, and if the caller may not read quotas. zones: of the network.
    offerings: of the pools' instance types.
    """
    demands = list(_demands(settings, zones, offerings, options))
    exceeded: list[Problem] = []
    for code in dict.fromkeys(demand.code for demand in demands):
        try:
            quota = servicequotas.get_service_quota(service_code="ec2", quota_code=code, opts=options)
        except Exception as error:  # noqa: BLE001 - a principal that may not read quotas can apply all the same
            pulumi.log.warn(_not_checked(error, code))
            if _ABSENT in str(error):
                continue
            break
        of_code = [demand for demand in demands if demand.code == code]
        exceeded += _exceeded(of_code, quota, settings.environment.region)
    return exceeded


def code_of(instance_type: str, *, spot: bool) -> str | None:
    """Return the quota that an instance of a type counts against, or None if it is not known."""
    family = _FAMILY.match(instance_type)
    kinds = {family[1], family[1] + family[2]} if family else set[str]()
    return next((code for code, families in (SPOT if spot else ON_DEMAND) if kinds & families), None)


def _exceeded(
    demands: Sequence[Demand], quota: servicequotas.GetServiceQuotaResult, region: str
) -> list[Problem]:
    minimum = sum(demand.minimum for demand in demands)
    maximum = sum(demand.maximum for demand in demands)
    limit = f"the quota {quota.quota_code} ({quota.quota_name}) in {region} is {quota.value:g}"
    command = (
        f"aws service-quotas request-service-quota-increase --service-code ec2 --quota-code "
        f"{quota.quota_code} --region {region} --desired-value"
    )
    if minimum > quota.value:
        counted = [demand for demand in demands if demand.minimum]
        listed = ", ".join(f"{demand.topic} {demand.minimum}" for demand in counted)
        largest = max(counted, key=lambda demand: demand.minimum)
        reason = (
            f"nodes that always run need {minimum} vCPUs ({listed}); expected at most {quota.value:g}: "
            f"{limit}"
        )
        return [Problem(f"{largest.topic}.min", f"{reason}; lower it, or run {command} {minimum}")]
    if maximum > quota.value:
        pools = " and ".join(dict.fromkeys(demand.topic for demand in demands))
        pulumi.log.warn(
            f"{pools} may grow to {maximum} vCPUs, but {limit}, where they stop; run {command} {maximum}"
        )
    return []


def _not_checked(error: Exception, code: str) -> str:
    reason = " ".join(str(error).split())
    if _ABSENT in reason:
        return f"EC2's quota {code} is not checked, as the region does not list it: {reason}"
    return f"EC2's quotas are not checked, as reading them failed (it takes {_PERMISSIONS}): {reason}"


def _demands(
    settings: Settings, zones: Sequence[str], offerings: Offerings, options: pulumi.InvokeOptions
) -> Iterator[Demand]:
    @cache
    def vcpus(instance_type: str) -> int:
        try:
            return ec2.get_instance_type(instance_type=instance_type, opts=options).default_vcpus
        except Exception:  # noqa: BLE001 - EKS reports an instance type that does not exist
            return 0

    system = settings.cluster.system_nodes
    size = (system.min, system.max)
    yield from _demand("cluster.system_nodes", "on_demand", system.instance_types, size, vcpus)
    for name, pool in settings.node_pools.items():
        for index, capacity in enumerate(pool.capacity):
            size = (pool.min if index == 0 else 0, pool.max)
            yield from _demand(f"node_pools.{name}", capacity, pool.instance_types, size, vcpus)
    references = placeholders.of(settings, zones)
    for name, pool in settings.gpu_pools.items():
        args = arguments.gpu_pool(settings, name, pool, references.cluster, references.network)
        for group in gpu.plan(read(GpuPoolSettings, args, "GpuPoolArgs"), offerings):
            sizes = {machine.type: machine.vcpus for machine in group.machines}
            size = (plain(group.minimum), plain(group.maximum))
            yield from _demand(f"gpu_pools.{name}", group.entry.type, list(sizes), size, sizes.__getitem__)


def _demand(
    topic: str, capacity: str, types: Sequence[str], size: tuple[int, int], vcpus: Callable[[str], int]
) -> Iterator[Demand]:
    # A reservation counted when it was created.
    code = code_of(types[0], spot=capacity == "spot") if capacity != "reserved" else None
    if code is not None:
        minimum, maximum = size
        yield Demand(topic, code, minimum * min(map(vcpus, types)), maximum * vcpus(types[0]))
