"""Compute: static routes."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from typing import Any

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import COMPUTE_NAME
from twin.gcp.resources.fields import local, only_read, only_sent
from twin.gcp.resources.links import same_thing
from twin.gcp.resources.validators import between, cidr, matches
from twin.gcp.services.compute.resources.networks import NETWORK

_HOPS = ("nextHopGateway", "nextHopIlb", "nextHopInstance", "nextHopIp", "nextHopVpnTunnel")


class Route(GcpResource):
    token = "gcp:compute/route:Route"
    title = "Route"
    collection = "compute.routes"
    schema = "Route"
    params = {"project": "{project}", "route": "{name}"}
    id_form = "projects/{project}/global/routes/{name}"
    autoname = COMPUTE_NAME
    fields = {
        **only_read("asPaths", "creationTimestamp", "nextHopHub", "nextHopInterRegionCost", "nextHopMed"),
        **only_read("nextHopNetwork", "nextHopOrigin", "nextHopPeering", "routeStatus", "routeType"),
        **only_read("selfLink", "warnings"),
        **only_sent("params"),
        **local("nextHopInstanceZone", "deletionPolicy"),
    }
    links = {
        "network": NETWORK,
        "nextHopGateway": "projects/{project}/global/gateways/{value}",
        "nextHopVpnTunnel": "projects/{project}/regions/{region}/vpnTunnels/{value}",
        "nextHopInstance": "projects/{project}/zones/{nextHopInstanceZone}/instances/{value}",
    }
    immutable = frozenset(
        {"destRange", "name", "network", "description", "params", "priority", "tags", "project"}
        | {"nextHopInstanceZone", *_HOPS}
    )
    exactly_one = (_HOPS,)
    validators = {
        "name": matches(r"^[a-z]([-a-z0-9]*[a-z0-9])?$"),
        "destRange": cidr,
        "priority": between(0, 65535),
    }

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return super().alike(path, old, new) or (path == "nextHopIlb" and same_thing(old, new))
