"""Subnetworks: ranges that do not overlap, secondary ranges, flow logs, and who uses them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import bad_field, in_use, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.methods import handles
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.operations.generic import link
from twin.gcp.services.compute.operations.routes import drop_routes, route
from twin.gcp.services.compute.profiles import blocked
from twin.gcp.services.compute.quotas import check_quota
from twin.gcp.services.compute.validation import conflict, occupied_ranges, parse, secondary_ranges

PROXY_LENGTH: Final = 26
"""The longest prefix of a proxy-only subnetwork. Source: "Proxy-only subnets" of Cloud Load Balancing."""
_PURPOSES: Final = frozenset(
    {"REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "INTERNAL_HTTPS_LOAD_BALANCER"}
)


def make(call: Call, region: str, body: Body) -> None:
    """A subnetwork that Google makes itself (auto mode)."""
    name = f"projects/{call.project}/regions/{region}/subnetworks/{body['name']}"
    created = {**SUBNETWORK.defaults, **body}
    _check(call, created, None)
    compute.store(call, name, created, SUBNETWORK)
    _after_insert(call, name, created)


def _check(call: Call, body: Body, before: Body | None) -> None:
    if before is None:
        check_quota(call, "SUBNETWORKS", "subnetworks")
    if body.get("privateIpGoogleAccess"):
        blocked(
            call.state, body["network"], "allowPrivateGoogleAccess", "Subnetworks with Private Google Access"
        )
    _check_purpose(call, body)
    _check_ranges(call, body, before)
    _check_logs(body)
    if before is not None:
        _check_removed(call.state, body, before)


def _check_purpose(call: Call, body: Body) -> None:
    """A network has one active proxy-only subnetwork a region and purpose."""
    if body["purpose"] not in _PURPOSES:
        return
    parse(body["ipCidrRange"], "resource.ipCidrRange", longest=PROXY_LENGTH)
    region = call.parameters.get("region", "")
    for name, other in call.state.of("compute.subnetworks"):
        same = (other["network"], other["purpose"]) == (body["network"], body["purpose"])
        if not same or name.split("/")[4] != region or other["name"] == body["name"]:
            continue
        if other.get("role") == "ACTIVE" and body.get("role") == "ACTIVE":
            raise invalid(
                f"An active subnetwork of purpose {body['purpose']} already exists in region {region} of the "
                f"network: '{other['name']}'."
            )


def _check_ranges(call: Call, body: Body, before: Body | None) -> None:
    own_name = "" if before is None else compute.name_of(before["selfLink"], call.project)
    ranges = [(parse(body["ipCidrRange"], "resource.ipCidrRange"), "the primary range")]
    secondary: list[Body] = body.get("secondaryIpRanges") or []
    names: set[str] = set()
    for index, secondary_range in enumerate(secondary):
        path = f"resource.secondaryIpRanges[{index}]"
        name = secondary_range.get("rangeName", "")
        if name in names:
            raise bad_field(f"{path}.rangeName", name, "Duplicate secondary range name.")
        names.add(name)
        ip_range = parse(secondary_range["ipCidrRange"], f"{path}.ipCidrRange")
        for other, whose in ranges:
            if ip_range.overlaps(other):
                raise bad_field(
                    f"{path}.ipCidrRange", ip_range, f"It overlaps {whose} {other} of the same subnetwork."
                )
        ranges.append((ip_range, f"secondary range '{name}'"))
    for other, whose in occupied_ranges(call.state, body["network"], but=own_name):
        for ip_range, _ in ranges:
            if ip_range.overlaps(other):
                raise conflict(ip_range, whose)


def _check_logs(body: Body) -> None:
    logs = body.get("logConfig")
    if logs is None:
        if "enableFlowLogs" in body:
            body["logConfig"] = {"enable": body["enableFlowLogs"]}
        logs = body.get("logConfig", {})
    if logs.get("enable"):
        body["enableFlowLogs"] = True
        body["logConfig"] = {**services.tables("compute")["flow_logs"], **logs}
    elif logs:
        body["enableFlowLogs"] = False


def _check_removed(state: State, body: Body, before: Body) -> None:
    """A secondary range that pods, services or machines use cannot be removed or changed."""
    now = secondary_ranges(body)
    for name, block in secondary_ranges(before).items():
        if now.get(name) == block:
            continue
        for user in range_users(state, before["selfLink"], name):
            raise in_use(
                f"The secondary range '{name}' ({block}) of subnetwork '{before['name']}' is already being "
                f"used by '{user}'"
            )


def range_users(state: State, subnetwork: str, name: str) -> Iterator[str]:
    """Relative names of what uses a secondary range: clusters, node pools, machines, Cloud NAT."""
    subnetwork_name = compute.name_of(subnetwork, "")
    for cluster, body in state.of("container.clusters"):
        if not _same(cluster, body, "subnetwork", subnetwork_name):
            continue
        policy = body.get("ipAllocationPolicy", {})
        extra = policy.get("additionalPodRangesConfig", {}).get("podRangeNames", ())
        if name in (
            policy.get("clusterSecondaryRangeName"),
            policy.get("servicesSecondaryRangeName"),
            *extra,
        ):
            yield cluster.partition("/")[2]
        for pool, pool_body in state.of("container.nodePools", f"{cluster}/nodePools/"):
            if pool_body.get("networkConfig", {}).get("podRange") == name:
                yield pool.partition("/")[2]
    yield from _range_users(state, subnetwork, name)


def _range_users(state: State, subnetwork: str, name: str) -> Iterator[str]:
    """Machines and Cloud NAT."""
    for instance, body in state.of("compute.instances"):
        for card in body.get("networkInterfaces", ()):
            ranges = [part.get("subnetworkRangeName") for part in card.get("aliasIpRanges", ())]
            if card.get("subnetwork") == subnetwork and name in ranges:
                yield instance.partition("/")[2]
    for router, body in state.of("compute.routers"):
        for nat in body.get("nats", ()):
            for entry in nat.get("subnetworks", ()):
                if entry["name"] == subnetwork and name in entry.get("secondaryIpRangeNames", ()):
                    yield router.partition("/")[2]


@compute.used_by
def _clusters(state: State, name: str) -> Iterator[str]:
    """Clusters use networks and subnetworks."""
    word = name.split("/")[-2]
    if word not in ("networks", "subnetworks"):
        return
    for cluster, body in state.of("container.clusters"):
        if _same(cluster, body, word.removesuffix("s"), name):
            yield cluster.partition("/")[2]


def _same(cluster: str, body: Body, key: str, name: str) -> bool:
    """Whether a cluster's network or subnetwork, which may be a bare name, is that resource."""
    text = body.get("networkConfig", {}).get(key) or body.get(key, "")
    if "/" in text:
        project = cluster.split("/")[2]
        return compute.name_of(text, project) == name
    parts = name.split("/")
    location = cluster.split("/")[4]
    return bool(text) and parts[-1] == text and (parts[2] == "global" or location.startswith(parts[3]))


def _after_insert(call: Call, name: str, body: Body) -> None:
    body["gatewayAddress"] = str(IPv4Network(body["ipCidrRange"])[1])
    call.state.put(f"compute/{name}", body)
    network = compute.name_of(body["network"], call.project)
    route(call, network, "default-route-r-", {
        "description": f"Default local route to the subnetwork {body['ipCidrRange']}.",
        "destRange": body["ipCidrRange"],
        "priority": 0,
        "nextHopNetwork": link(network),
    }, owner=name)  # fmt: skip


def _gone(call: Call, name: str, _: Body) -> None:
    drop_routes(call.state, name)


@handles("compute.subnetworks.expandIpCidrRange")
def expand(call: Call) -> dict[str, Any]:
    """A larger primary range that holds the present one."""
    name, body = compute.acted_on(call)
    wanted = parse(call.body.get("ipCidrRange"), "ipCidrRange")
    current = parse(body["ipCidrRange"], "ipCidrRange")
    if not current.subnet_of(wanted) or wanted == current:
        raise bad_field("ipCidrRange", wanted, f"The new range must be larger than {current} and contain it.")
    before = dict(body)
    body["ipCidrRange"] = str(wanted)
    _check_ranges(call, body, before)
    drop_routes(call.state, name)
    _after_insert(call, name, body)
    return compute.save(call, SUBNETWORK, name, body)


@handles("compute.subnetworks.setPrivateIpGoogleAccess")
def private_access(call: Call) -> dict[str, Any]:
    """Private Google Access on or off."""
    name, body = compute.acted_on(call)
    body["privateIpGoogleAccess"] = bool(call.body.get("privateIpGoogleAccess"))
    return compute.save(call, SUBNETWORK, name, body)


SUBNETWORK: Final = compute.kind("subnetworks", check=_check, after_insert=_after_insert, gone=_gone)
