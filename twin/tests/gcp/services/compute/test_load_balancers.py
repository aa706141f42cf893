"""Load balancers of GKE: what names what, what a part refuses, and the order of deletion."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION, client, refused

ZONE = f"{REGION}-a"
PARTS = (
    "globalForwardingRules",
    "targetHttpProxies",
    "urlMaps",
    "backendServices",
    "healthChecks",
    "networkEndpointGroups",
)


class Compute:
    """Inserts of one project."""

    def __init__(self, server: ApiServer) -> None:
        self.api = client(server, "compute")

    def insert(self, collection: str, body: dict[str, Any], **place: str) -> str:
        """Insert a resource; return its link."""
        methods = getattr(self.api, collection)()
        return methods.insert(project=PROJECT, body=body, **place).execute()["targetLink"]

    def balancer(self) -> str:
        """Create all parts of one; return the link of its address."""
        net = f"projects/{PROJECT}/global/networks/net"
        group = {"name": "one", "networkEndpointType": "GCE_VM_IP_PORT", "network": net}
        backend = {"group": self.insert("networkEndpointGroups", group, zone=ZONE)}
        check = self.insert("healthChecks", {"name": "one", "type": "HTTP"})
        service = {"name": "one", "backends": [backend], "healthChecks": [check]}
        url_map = {"name": "one", "defaultService": self.insert("backendServices", service)}
        proxy = {"name": "one", "urlMap": self.insert("urlMaps", url_map)}
        target = self.insert("targetHttpProxies", proxy)
        address = self.insert("globalAddresses", {"name": "one"})
        self.insert("globalForwardingRules", {"name": "one", "target": target, "IPAddress": address})
        return address

    def delete(self, collection: str) -> Any:
        """Return the request that deletes the part of a collection."""
        key = collection.removesuffix("s").removeprefix("global").replace("Proxie", "Proxy")
        key = {"ForwardingRule": "forwardingRule"}.get(key, key)
        place = {"zone": ZONE} if collection == "networkEndpointGroups" else {}
        return getattr(self.api, collection)().delete(project=PROJECT, **{key: "one"}, **place)


@pytest.fixture
def compute(google: ApiServer) -> Compute:
    """A project with the network `net`."""
    api_servers.network(google)
    return Compute(google)


def test_parts_are_deleted_from_the_front_to_the_backends(compute: Compute) -> None:
    compute.balancer()
    for part in PARTS[1:]:
        assert "already being used by" in refused(compute.delete(part)).message, part
    for part in PARTS:
        compute.delete(part).execute()


def test_forwarding_rule_has_the_reserved_address_and_uses_it(compute: Compute) -> None:
    compute.balancer()
    addresses = compute.api.globalAddresses()
    address = addresses.get(project=PROJECT, address="one").execute()
    rule = compute.api.globalForwardingRules().get(project=PROJECT, forwardingRule="one").execute()
    assert rule["IPAddress"] == address["address"]
    assert address["status"] == "IN_USE"
    assert [user.rpartition("/")[2] for user in address["users"]] == ["one"]
    assert "already being used" in refused(addresses.delete(project=PROJECT, address="one")).message
    compute.delete("globalForwardingRules").execute()
    addresses.delete(project=PROJECT, address="one").execute()


def test_all_places_are_listed_together(compute: Compute) -> None:
    compute.balancer()
    pool = compute.insert("targetPools", {"name": "pool"}, region=REGION)
    compute.insert("forwardingRules", {"name": "regional", "target": pool}, region=REGION)
    places = compute.api.forwardingRules().aggregatedList(project=PROJECT).execute()["items"]
    assert {
        place: [rule["name"] for rule in entry["forwardingRules"]] for place, entry in places.items()
    } == {
        "global": ["one"],
        f"regions/{REGION}": ["regional"],
    }


@pytest.mark.parametrize(
    ("collection", "body", "words"),
    [
        ("globalForwardingRules", {}, "Exactly one of backendService and target"),
        ("globalForwardingRules", {"target": "global/urlMaps/one"}, "URL is malformed"),
        ("globalForwardingRules", {"target": "global/targetHttpProxies/other"}, "cannot be found"),
        ("targetHttpProxies", {}, "urlMap' not specified"),
        ("backendServices", {"healthChecks": ["global/healthChecks/other"]}, "cannot be found"),
        ("snapshots", {}, "sourceDisk' not specified"),
        ("snapshots", {"sourceDisk": f"zones/{ZONE}/disks/other"}, "cannot be found"),
    ],
)
def test_part_without_what_it_names_is_refused(
    compute: Compute, collection: str, body: dict[str, Any], words: str
) -> None:
    methods = getattr(compute.api, collection)()
    request = methods.insert(project=PROJECT, body={"name": "bad", **body})
    assert words in refused(request).message


def test_snapshot_outlives_its_disk(compute: Compute) -> None:
    disk = compute.insert("disks", {"name": "one", "sizeGb": "20"}, zone=ZONE)
    compute.insert("snapshots", {"name": "one", "sourceDisk": disk})
    compute.api.disks().delete(project=PROJECT, zone=ZONE, disk="one").execute()
    snapshot = compute.api.snapshots().get(project=PROJECT, snapshot="one").execute()
    assert (snapshot["diskSizeGb"], snapshot["status"]) == ("20", "READY")
