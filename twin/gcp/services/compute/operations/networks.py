"""VPC networks: modes, profiles, peerings, and the routes that come with them."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import bad_field, exists, in_use, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.methods import handles, shows
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.operations.generic import link
from twin.gcp.services.compute.operations.routes import drop_routes, route
from twin.gcp.services.compute.operations.subnetworks import make
from twin.gcp.services.compute.profiles import profile_name
from twin.gcp.services.compute.quotas import check_quota

_AUTO: Final = ipaddress.IPv4Network("10.128.0.0/9")


def _check(call: Call, body: Body, before: Body | None) -> None:
    body.setdefault("routingConfig", {}).setdefault("routingMode", "REGIONAL")
    body["routingConfig"].setdefault("bgpBestPathSelectionMode", "LEGACY")
    if before is not None:
        return
    check_quota(call, "NETWORKS", "networks")
    if "autoCreateSubnetworks" not in body or body.get("IPv4Range"):
        raise invalid(
            "Invalid value for field 'resource.autoCreateSubnetworks': legacy networks can no longer be "
            "created. Set autoCreateSubnetworks to true (auto mode) or false (custom mode)."
        )
    if body.get("networkProfile"):
        name = profile_name(body["networkProfile"], call.project)
        if not name:
            raise bad_field(
                "resource.networkProfile",
                body["networkProfile"],
                "The referenced network profile does not exist.",
            )
        body["networkProfile"] = link(name)
        if body["autoCreateSubnetworks"]:
            raise invalid("Auto mode subnets are not allowed in a network with this network profile.")


def _after_insert(call: Call, name: str, body: Body) -> None:
    body.setdefault("mtu", 1460)
    body["selfLinkWithId"] = link(f"{name.rsplit('/', 1)[0]}/{body['id']}")
    call.state.put(f"compute/{name}", body)
    if not body.get("networkProfile"):
        route(call, name, "default-route-", {
            "description": "Default route to the Internet.",
            "destRange": "0.0.0.0/0",
            "priority": 1000,
            "nextHopGateway": link(f"projects/{call.project}/global/gateways/default-internet-gateway"),
        }, owner=name)  # fmt: skip
    if body["autoCreateSubnetworks"]:
        for region, subnet in zip(capacity.regions(), _AUTO.subnets(new_prefix=20), strict=False):
            make(call, region, {"name": body["name"], "network": link(name), "ipCidrRange": str(subnet)})


def _gone(call: Call, name: str, _: Body) -> None:
    drop_routes(call.state, name)


@handles("compute.networks.delete")
def delete(call: Call) -> dict[str, Any]:
    """A network with peerings stays; what auto mode made goes with it."""
    name = compute.relative(call)
    body = call.need(f"compute/{name}")
    if body.get("autoCreateSubnetworks"):
        for other, subnet in call.state.of("compute.subnetworks"):
            if subnet["network"] == link(name) and subnet["name"] == body["name"]:
                compute.check_unused(call.state, other.partition("/")[2], compute.kind_of("subnetworks"))
                call.state.delete(other)
                drop_routes(call.state, other.partition("/")[2])
    for peering in body.get("peerings", ()):
        raise in_use(
            f"The network resource '{name}' is already being used by '{name}/peerings/{peering['name']}'"
        )
    return compute.delete(call, NETWORK)


@shows("compute.networks")
def show(state: State, _: str, body: Body) -> Body:
    """A network names its subnetworks and its firewall policy."""
    self_link = body["selfLink"]
    subnets = [
        subnetwork["selfLink"]
        for _, subnetwork in state.of("compute.subnetworks")
        if subnetwork["network"] == self_link
    ]
    representation = {**body, **({"subnetworks": subnets} if subnets else {})}
    for _, policy in state.of("compute.firewallPolicies"):
        if any(
            association["attachmentTarget"] == self_link for association in policy.get("associations", ())
        ):
            representation["firewallPolicy"] = policy["selfLink"]
    return representation


@handles("compute.networks.addPeering")
def add_peering(call: Call) -> dict[str, Any]:
    """A peering; it is ACTIVE when the other network has one back."""
    name = compute.relative(call).rsplit("/", 1)[0]
    body = call.need(f"compute/{name}")
    requested = call.body.get("networkPeering") or {
        "name": call.body.get("name"),
        "network": call.body.get("peerNetwork"),
    }
    if not requested.get("name"):
        raise invalid("Required field 'networkPeering.name' not specified", reason="required")
    other = compute.reference(call, requested.get("network"), "networks", "networkPeering.network")
    if any(peering["name"] == requested["name"] for peering in body.get("peerings", ())):
        raise exists(f"There is already a peering named {requested['name']} in network {name}.")
    if other == body["selfLink"]:
        raise invalid("A network cannot be peered with itself.")
    _check_ranges(call, body, other)
    body.setdefault("peerings", []).append(
        {"exchangeSubnetRoutes": True, "state": "INACTIVE", **requested, "network": other}
    )
    call.state.put(f"compute/{name}", body)
    _settle(call.state)
    return operations.compute(call, name, "addPeering", body["id"])


@handles("compute.networks.removePeering")
def remove_peering(call: Call) -> dict[str, Any]:
    """One side's peering; the other's becomes INACTIVE."""
    name = compute.relative(call).rsplit("/", 1)[0]
    body = call.need(f"compute/{name}")
    peerings = [peering for peering in body.get("peerings", ()) if peering["name"] != call.body.get("name")]
    if len(peerings) == len(body.get("peerings", ())):
        raise invalid(f"There is no peering {call.body.get('name')} in network {name}.")
    body["peerings"] = peerings
    call.state.put(f"compute/{name}", body)
    _settle(call.state)
    return operations.compute(call, name, "removePeering", body["id"])


def _check_ranges(call: Call, body: Body, other: str) -> None:
    from twin.gcp.services.compute.validation import occupied_ranges

    theirs = list(occupied_ranges(call.state, other))
    for mine, whose in occupied_ranges(call.state, body["selfLink"]):
        for other_range, whom in theirs:
            if mine.overlaps(other_range):
                raise invalid(f"An IP range in the peer network ({other_range}, {whom}) overlaps with an IP "
                              f"range ({mine}, {whose}) in the local network.")  # fmt: skip


def _settle(state: State) -> None:
    networks = {body["selfLink"]: (name, body) for name, body in state.of("compute.networks")}
    for self_link, (name, body) in networks.items():
        for peering in body.get("peerings", ()):
            if peering["network"] not in networks:
                continue  # a producer's network, which answers by itself
            back = networks[peering["network"]][1].get("peerings", ())
            peering["state"] = (
                "ACTIVE" if any(other["network"] == self_link for other in back) else "INACTIVE"
            )
        if body.get("peerings") is not None:
            state.put(name, body)


NETWORK: Final = compute.kind("networks", check=_check, after_insert=_after_insert, gone=_gone)
