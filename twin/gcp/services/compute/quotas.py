"""Quotas of the Compute API, as new projects have them, and what is used of each.

Source: "Allocation quotas" of the Compute Engine documentation and the quotas page of a new project. They are
defaults: a project with history has more. GPUs start with none (GPUS_ALL_REGIONS 0) in a new project; the
twin gives some of each, since asking for quota is not what it is for. `twin fault quota` sets another limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import quota
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.compute import capacity

if TYPE_CHECKING:
    from twin.gcp.api_server.server import ApiServer

GLOBAL: Final[Mapping[str, tuple[Any, ...]]] = services.tables("compute")["global_quotas"]

REGIONAL: Final[Mapping[str, tuple[Any, ...]]] = services.tables("compute")["regional_quotas"]


MACHINES: Final[Mapping[str, tuple[Any, ...]]] = services.tables("compute")["machine_quotas"]
CARDS: Final[Mapping[str, tuple[Any, ...]]] = services.tables("compute")["card_quotas"]
METRICS: Final = (*GLOBAL, *REGIONAL, *MACHINES, *CARDS)


def check_quota(call: Call, metric: str, word: str, region: str = "") -> None:
    """Raise 403 quotaExceeded where one more is too much."""
    default, _ = (REGIONAL if region else GLOBAL)[metric]
    limit = call.server.faults.quota_limits().get(metric, float(default))
    if used(call.state, call.project, word, region) + 1 > limit:
        raise quota(_exceeded(metric, limit, region))


def machines_exceeded(server: ApiServer, project: str, region: str, added: Body, count: int) -> str:
    """Google's words where `count` more instances like `added` are too many; else empty.

    added: `machineType` and `guestAccelerators`, as an instance has them.
    """
    limits = server.faults.quota_limits()
    for metric, (default, of) in {**MACHINES, **CARDS}.items():
        more = _amount(added, of) * count
        limit = limits.get(metric, float(default))
        if more and _used_by_machines(server.state, project, region, of) + more > limit:
            return _exceeded(metric, limit, region)
    return ""


def _exceeded(metric: str, limit: float, region: str) -> str:
    where = f"in region {region}" if region else "globally"
    return f"Quota '{metric}' exceeded.  Limit: {float(limit)} {where}."


def _amount(instance: Body, of: str | tuple[str, ...]) -> int:
    """What an instance takes: vCPUs where its type is of one of the families, or GPUs of a type."""
    machine = capacity.machine_type(str(instance.get("machineType", "")).rpartition("/")[2])
    if isinstance(of, tuple):
        return machine.cpus if machine and machine.family in of else 0
    attached = sum(
        int(card.get("acceleratorCount") or 0)
        for card in instance.get("guestAccelerators") or ()
        if str(card.get("acceleratorType")).rpartition("/")[2] == of
    )
    return attached or (machine.count if machine and machine.card == of else 0)


def _used_by_machines(state: State, project: str, region: str, of: str | tuple[str, ...]) -> int:
    return sum(
        _amount(body, of)
        for name, body in state.of("compute.instances", f"compute/projects/{project}/zones/")
        if name.split("/")[4].startswith(f"{region}-")
    )


def used(state: State, project: str, word: str, region: str = "") -> int:
    """How many there are, in the project or in a region and its zones."""
    resources = state.of(f"compute.{word}", f"compute/projects/{project}/")
    if not region:
        return len(resources)
    return sum(
        name.split("/")[4].startswith(region) for name, _ in resources if name.split("/")[3] != "global"
    )


def quota_entries(call: Call, region: str = "") -> list[Body]:
    """The quotas as projects.get and regions.get answer them."""
    limits = call.server.faults.quota_limits()
    entries = [
        (metric, limit, used(call.state, call.project, word, region))
        for metric, (limit, word) in (REGIONAL if region else GLOBAL).items()
    ]
    if region:
        entries += [
            (metric, limit, _used_by_machines(call.state, call.project, region, of))
            for metric, (limit, of) in {**MACHINES, **CARDS}.items()
        ]
    return [
        {"metric": metric, "limit": limits.get(metric, float(limit)), "usage": float(usage)}
        for metric, limit, usage in entries
    ]
