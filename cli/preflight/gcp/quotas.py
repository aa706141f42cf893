"""Whether Compute Engine's quotas of a project suffice for what the preview would add.

Most are those of regions.get and projects.get, with their use. Quotas by family of machines or GPUs are in
the Cloud Quotas API, which a project may have switched off; it knows no use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from cli.clients.errors import UncheckedError
from cli.clients.gcp import ApiError
from cli.estimate.networks import ADDRESSES, BALANCED, BALANCERS, has_load_balancer
from cli.preflight import demand
from cli.preflight.demand import CHECK, Demand, Quota
from cli.preflight.gcp import machines
from cli.preflight.gcp.machines import Key
from cli.preflight.results import Result, not_checked
from cli.preflight.scope import Scope

_COUNTED: Final = {"gcp:compute/network:Network": "NETWORKS", "gcp:compute/router:Router": "ROUTERS"}
_CAPACITY: Final = "ai-platform/capacity"
_PAGE: Final = "https://console.cloud.google.com/iam-admin/quotas?project="


def check(scope: Scope) -> Iterator[Result]:
    """Compare each quota that the environment counts against."""
    yield from demand.unknown_types(scope.unread)
    try:
        region = _by_name(scope, f"projects/{scope.account}/regions/{scope.region}")
        project = _by_name(scope, f"projects/{scope.account}")
    except ApiError as error:
        if not error.is_off:
            raise UncheckedError(str(error)) from error
        command = f"gcloud services enable compute.googleapis.com --project {scope.account}"
        yield not_checked(CHECK, scope.account, "compute.googleapis.com is switched off", command)
        return
    metrics = {**project, **region}
    needed = [*_of_nodes(scope), *_of_networks(scope)]
    keys = {str(key): key for key in (_effective(key, metrics) for key, _ in needed)}
    demands = [
        Demand(str(_effective(key, metrics)), part.source, part.minimum, part.maximum) for key, part in needed
    ]
    for name in demand.keys(demands):
        key = keys[name]
        try:
            quota = _by_family(scope, key) if key.dimension else _by_metric(scope, key, metrics, project)
        except UncheckedError as error:
            yield not_checked(CHECK, name, str(error), f"{_PAGE}{scope.account}")
        else:
            yield demand.compare(quota, demands)


def _by_name(scope: Scope, path: str) -> dict[str, Mapping[str, Any]]:
    answer: Any = scope.client.get("compute", path)
    return {str(quota["metric"]): quota for quota in answer.get("quotas") or ()}


def _effective(key: Key, metrics: Mapping[str, Mapping[str, Any]]) -> Key:
    """Return the quota that counts: that of spot machines only where the project has one."""
    if key.standard and float(metrics.get(key.metric, {}).get("limit", 0)) <= 0:
        return Key(key.standard)
    return key


def _by_metric(
    scope: Scope,
    key: Key,
    metrics: Mapping[str, Mapping[str, Any]],
    project: Mapping[str, Mapping[str, Any]],
) -> Quota:
    entry = metrics.get(key.metric)
    if entry is None:
        raise UncheckedError(
            f"Compute Engine lists no quota {key.metric} of {scope.account} or {scope.region}"
        )
    everywhere = key.metric in project and metrics[key.metric] is project[key.metric]
    # As Cloud Quotas names them: `N2-CPUS-per-project-region`, `GPUS-ALL-REGIONS-per-project`.
    quota_id = f"{key.metric.replace('_', '-')}-per-project{'' if everywhere else '-region'}"
    dimensions = "" if everywhere else f"region={scope.region}"
    limit = float(entry["limit"])
    return Quota(
        str(key),
        "all regions" if everywhere else scope.region,
        limit if limit >= 0 else math.inf,
        float(entry.get("usage") or 0),
        "",
        partial(_raise_to, scope.account, quota_id, dimensions),
    )


def _by_family(scope: Scope, key: Key) -> Quota:
    path = (
        f"projects/{scope.account}/locations/global/services/compute.googleapis.com/quotaInfos/{key.metric}"
    )
    try:
        info: Any = scope.client.get("cloudquotas", path)
    except ApiError as error:
        if error.is_off:
            enable = f"gcloud services enable cloudquotas.googleapis.com --project {scope.account}"
            raise UncheckedError(f"cloudquotas.googleapis.com is switched off: {enable}") from error
        raise UncheckedError(str(error)) from error
    limit = _limit(info, {"region": scope.region, key.dimension: key.value})
    if limit is None:
        raise UncheckedError(f"Cloud Quotas states no value for {key.value} in {scope.region}")
    dimensions = f"region={scope.region},{key.dimension}={key.value}"
    raise_to: Callable[[float], str] = partial(_raise_to, scope.account, key.metric, dimensions)
    return Quota(str(key), scope.region, limit, None, "", raise_to)


def _limit(info: Mapping[str, Any], wanted: Mapping[str, str]) -> float | None:
    """Return the value with the most of the wanted dimensions, and no others."""
    best: tuple[int, float] | None = None
    for entry in info.get("dimensionsInfos") or ():
        dimensions: Mapping[str, str] = entry.get("dimensions") or {}
        value = (entry.get("details") or {}).get("value")
        locations = set(entry.get("applicableLocations") or ())
        applies = "region" in dimensions or not locations or locations & {wanted["region"], "global"}
        matches = all(wanted.get(name) == stated for name, stated in dimensions.items())
        if value is not None and applies and matches and (best is None or len(dimensions) > best[0]):
            number = float(value)
            best = (len(dimensions), number if number >= 0 else math.inf)
    return best[1] if best else None


def _raise_to(project: str, quota_id: str, dimensions: str, value: float) -> str:
    stated = f" --dimensions={dimensions}" if dimensions else ""
    return (
        f"gcloud quotas preferences create --service=compute.googleapis.com --project={project} "
        f"--quota-id={quota_id}{stated} --preferred-value={math.ceil(value)}; or {_PAGE}{project}"
    )


def _of_nodes(scope: Scope) -> Iterator[tuple[Key, Demand]]:
    for group in scope.groups:
        # A reservation counted when it was created.
        if group.resource.get("nodeConfig.labels", {}).get(_CAPACITY) == "reserved":
            continue
        first = machines.first_nodes(group)
        for key, amount in machines.per_node(scope, group):
            minimum, maximum = first * amount, max(group.maximum, first) * amount
            if not scope.is_new(group.resource):
                # What runs is in use already.
                minimum, maximum = 0, maximum - group.minimum * amount
            yield key, Demand(str(key), group.resource.name, minimum, maximum)


def _of_networks(scope: Scope) -> Iterator[tuple[Key, Demand]]:
    for type_, metric in _COUNTED.items():
        for resource in scope.new(type_):
            yield Key(metric), Demand(metric, resource.name, 1, 1)
    for resource in scope.new(ADDRESSES[0]):
        if resource.get("addressType", "EXTERNAL") == "EXTERNAL":
            for metric in ("STATIC_ADDRESSES", "IN_USE_ADDRESSES"):
                yield Key(metric), Demand(metric, resource.name, 1, 1)
    for resource in scope.new(*BALANCED, *BALANCERS):
        if resource.type in BALANCERS or has_load_balancer(resource):
            yield Key("FORWARDING_RULES"), Demand("FORWARDING_RULES", resource.name, 1, 1)
