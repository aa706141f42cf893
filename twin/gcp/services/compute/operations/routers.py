"""Cloud Routers and their NATs."""

from __future__ import annotations

from typing import Final

from twin.gcp import services
from twin.gcp.api_server.errors import bad_field, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.profiles import blocked
from twin.gcp.services.compute.quotas import check_quota
from twin.gcp.services.compute.validation import secondary_ranges

_PRIVATE_ASNS: Final = ((64512, 65534), (4200000000, 4294967294))
_LIST: Final = "LIST_OF_SUBNETWORKS"


def _check(call: Call, body: Body, before: Body | None) -> None:
    if before is None:
        check_quota(call, "ROUTERS", "routers")
    elif body.get("network") != before["network"]:
        raise bad_field("resource.network", body.get("network"), "The network of a router cannot be changed.")
    blocked(call.state, body["network"], "allowCloudRouter", "Cloud Routers")
    asn = body.get("bgp", {}).get("asn")
    if asn is not None and asn != 16550 and not any(low <= asn <= high for low, high in _PRIVATE_ASNS):
        raise bad_field("resource.bgp.asn", asn, "Local ASN must be 16550 or a private ASN (RFC 6996).")
    nats: list[Body] = body.get("nats") or []
    names = [nat.get("name") for nat in nats]
    for index, nat in enumerate(nats):
        path = f"resource.nats[{index}]"
        if names.count(nat.get("name")) > 1:
            raise bad_field(f"{path}.name", nat.get("name"), "Duplicate NAT name.")
        generic.complete(nat, services.tables("compute")["nat"], inside=False)
        _check_nat(call, nat, body, path)
    _check_overlap(call, body)
    _check_taken(call, body)


def _check_nat(call: Call, nat: Body, router: Body, path: str) -> None:
    _check_addresses(call, nat, path)
    for index, entry in enumerate(nat.get("subnetworks") or []):
        _check_subnet(call, entry, router, f"{path}.subnetworks[{index}]")
    _check_ports(nat, path)


def _check_addresses(call: Call, nat: Body, path: str) -> None:
    if nat["type"] == "PRIVATE":
        return
    for index, nat_ip in enumerate(nat.get("natIps") or []):
        name = compute.name_of(nat_ip, call.project)
        address = call.state.get(f"compute/{name}") or {}
        if address.get("addressType") != "EXTERNAL":
            raise bad_field(
                f"{path}.natIps[{index}]", nat_ip, "A NAT address must be a static external address."
            )
        if f"/regions/{call.parameters['region']}/" not in f"{name}/":
            raise bad_field(
                f"{path}.natIps[{index}]", nat_ip, "A NAT address must be in the region of the router."
            )


def _check_subnet(call: Call, entry: Body, router: Body, path: str) -> None:
    name = compute.name_of(entry["name"], call.project)
    subnet = call.state.get(f"compute/{name}") or {}
    if subnet.get("network") != router["network"]:
        raise bad_field(f"{path}.name", entry["name"], "The subnetwork is not in the network of the router.")
    if f"/regions/{call.parameters['region']}/" not in name:
        raise bad_field(f"{path}.name", entry["name"], "The subnetwork is not in the region of the router.")
    ranges = entry.get("secondaryIpRangeNames") or []
    if ranges and "LIST_OF_SECONDARY_IP_RANGES" not in entry["sourceIpRangesToNat"]:
        why = "Must be given with LIST_OF_SECONDARY_IP_RANGES, and only with it."
        raise bad_field(f"{path}.secondaryIpRangeNames", ranges, why)
    known = secondary_ranges(subnet)
    for range_ in ranges:
        if range_ not in known:
            raise bad_field(f"{path}.secondaryIpRangeNames", range_, f"The subnetwork has no such range, "
                            f"only {', '.join(sorted(known)) or 'none'}.")  # fmt: skip


def _check_ports(nat: Body, path: str) -> None:
    dynamic = nat.get("enableDynamicPortAllocation", False)
    least, most = nat.get("minPortsPerVm"), nat.get("maxPortsPerVm")
    for key, value in (("minPortsPerVm", least), ("maxPortsPerVm", most)):
        if dynamic and value is not None and value & (value - 1):
            raise bad_field(f"{path}.{key}", value, "Must be a power of two with dynamic port allocation.")
    if most is not None and not max(64, (least or 32) + 1) <= most <= 65536:
        raise bad_field(f"{path}.maxPortsPerVm", most, "Must be above minPortsPerVm and from 64 to 65536.")


def _check_overlap(call: Call, body: Body) -> None:
    """One subnetwork's range is translated by one gateway only."""
    self_link = body.get("selfLink")
    others = [
        (router, nat)
        for name, router in call.state.of("compute.routers")
        if router["network"] == body["network"]
        and name.split("/")[4] == call.parameters["region"]
        and router["selfLink"] != self_link
        for nat in router.get("nats", ())
    ]
    seen = [(other, nat) for other, nat in others if nat.get("type") != "PRIVATE"]
    for nat in body.get("nats") or []:
        if nat["type"] == "PRIVATE":
            continue
        for other, known in seen:
            if _overlap(nat, known):
                raise invalid(
                    f"NAT '{nat['name']}' and NAT '{known['name']}' of router '{other['name']}' apply to the "
                    f"same subnetwork ranges of network '{body['network'].rsplit('/', 1)[-1]}'."
                )
        seen.append((body, nat))


def _check_taken(call: Call, body: Body) -> None:
    """A static address serves one gateway."""
    self_link = body.get("selfLink")
    taken = {
        nat_ip: other["name"]
        for _, other in call.state.of("compute.routers")
        if other["selfLink"] != self_link
        for nat in other.get("nats", ())
        for nat_ip in nat.get("natIps", ())
    }
    for index, nat in enumerate(body.get("nats") or []):
        for address in nat.get("natIps") or []:
            if address in taken:
                path = f"resource.nats[{index}].natIps"
                raise bad_field(path, address, f"The address is already in use by router '{taken[address]}'.")
            taken[address] = body["name"]


def _overlap(one: Body, two: Body) -> bool:
    if _LIST not in (one["sourceSubnetworkIpRangesToNat"], two["sourceSubnetworkIpRangesToNat"]):
        return True
    if one["sourceSubnetworkIpRangesToNat"] != two["sourceSubnetworkIpRangesToNat"]:
        return True  # one translates all subnetworks
    mine, theirs = _ranges(one), _ranges(two)
    return any(
        subnet == other and (name == whom or "*" in (name, whom))
        for subnet, name in mine
        for other, whom in theirs
    )


def _ranges(nat: Body) -> set[tuple[str, str]]:
    ranges: set[tuple[str, str]] = set()
    for entry in nat["subnetworks"]:
        for source in entry["sourceIpRangesToNat"]:
            if source == "ALL_IP_RANGES":
                ranges.add((entry["name"], "*"))
            elif source == "PRIMARY_IP_RANGE":
                ranges.add((entry["name"], ""))
        ranges |= {(entry["name"], name) for name in entry.get("secondaryIpRangeNames") or []}
    return ranges


compute.kind("routers", check=_check)
