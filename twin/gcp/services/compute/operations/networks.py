"""VPC networks: modes, profiles, peerings, and the routes that come with them."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.gcp.api_server.errors import bad_field, in_use, invalid
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
    if body.get("networkProfile"):
        name = profile_name(body["networkProfile"], call.project)
        if not name:
            raise bad_field(
                "resource.networkProfile",
                body["networkProfile"],
                "The referenced network profile does not exist.",
            )
        body["networkProfile"] = link(name)


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


@handles("compute.networks.removePeering")
def remove_peering(call: Call) -> dict[str, Any]:
    """Take a peering away."""
    name, body = compute.acted_on(call)
    peerings = [peering for peering in body.get("peerings", ()) if peering["name"] != call.body.get("name")]
    if len(peerings) == len(body.get("peerings", ())):
        raise invalid(f"There is no peering {call.body.get('name')} in network {name}.")
    body["peerings"] = peerings
    return compute.save(call, NETWORK, name, body)


NETWORK: Final = compute.kind("networks", check=_check, after_insert=_after_insert, gone=_gone)
