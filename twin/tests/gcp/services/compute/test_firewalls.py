"""Firewall policies and rules, placement policies and reservations, zones and machine types."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION, client, refused

RULE: dict[str, Any] = {
    "priority": 1000,
    "action": "deny",
    "direction": "INGRESS",
    "match": {"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "all"}]},
}
AT = {"project": PROJECT, "firewallPolicy": "guard"}


@pytest.fixture
def policies(google: ApiServer) -> Any:
    """networkFirewallPolicies, with one named guard."""
    collection = client(google, "compute").networkFirewallPolicies()
    collection.insert(project=PROJECT, body={"name": "guard"}).execute()
    return collection


def test_a_policy_has_googles_four_rules(policies: Any) -> None:
    rules = policies.get(**AT).execute()["rules"]
    assert [rule["action"] for rule in rules] == ["goto_next"] * 4
    assert rules[0]["priority"] == 2147483647


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"action": "drop"}, "Must be one of allow, deny"),
        ({"priority": None}, "priority' not specified"),
        ({"match": {"layer4Configs": [{"ipProtocol": "all"}]}}, "at least one source"),
        ({"match": {"srcIpRanges": ["10.0.0.0/8"]}}, "layer4Configs' not specified"),
        (
            {"match": {"srcIpRanges": ["10.0.0.1/8"], "layer4Configs": [{"ipProtocol": "all"}]}},
            "10.0.0.0/8 is right",
        ),
        (
            {
                "match": {
                    "srcIpRanges": ["10.0.0.0/8"],
                    "layer4Configs": [{"ipProtocol": "icmp", "ports": ["80"]}],
                }
            },
            "Ports cannot be set",
        ),
        (
            {
                "match": {
                    "srcIpRanges": ["10.0.0.0/8"],
                    "layer4Configs": [{"ipProtocol": "tcp", "ports": ["90-80"]}],
                }
            },
            "a range of ports",
        ),
        ({"direction": "EGRESS"}, "at least one destination"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(shared: ApiServer, change: dict[str, Any], words: str) -> None:
    policies = client(shared, "compute").networkFirewallPolicies()
    if "items" not in policies.list(project=PROJECT).execute():
        policies.insert(project=PROJECT, body={"name": "guard"}).execute()
    error = refused(policies.addRule(**AT, body={**RULE, **change}))
    assert error.code == 400
    assert words in error.message


def test_a_priority_is_taken_once(policies: Any) -> None:
    policies.addRule(**AT, body=RULE).execute()
    assert "Rule priorities must be unique" in refused(policies.addRule(**AT, body=RULE)).message
    policies.patchRule(**AT, priority=1000, body={"action": "allow"}).execute()
    assert policies.getRule(**AT, priority=1000).execute()["action"] == "allow"
    policies.removeRule(**AT, priority=1000).execute()
    assert (
        "does not contain a rule at priority 1000" in refused(policies.getRule(**AT, priority=1000)).message
    )


def test_a_network_has_one_policy_and_neither_goes_before_the_association(
    google: ApiServer, policies: Any
) -> None:
    link = api_servers.network(google)
    policies.addAssociation(**AT, body={"name": "net", "attachmentTarget": link}).execute()
    networks = client(google, "compute").networks()
    assert networks.get(project=PROJECT, network="net").execute()["firewallPolicy"].endswith("/guard")
    assert refused(policies.delete(**AT)).reason == "resourceInUseByAnotherResource"
    assert refused(networks.delete(project=PROJECT, network="net")).reason == "resourceInUseByAnotherResource"
    policies.insert(project=PROJECT, body={"name": "other"}).execute()
    request = policies.addAssociation(
        project=PROJECT, firewallPolicy="other", body={"name": "net", "attachmentTarget": link}
    )
    assert "is already associated with the firewall policy 'guard'" in refused(request).message
    policies.removeAssociation(**AT, name="net").execute()
    policies.delete(**AT).execute()


def test_a_firewall_rule_allows_or_denies(google: ApiServer) -> None:
    api_servers.network(google)
    firewalls = client(google, "compute").firewalls()
    body = {"name": "fw", "network": "global/networks/net", "sourceRanges": ["10.0.0.0/8"]}
    assert (
        "Exactly one of allowed and denied" in refused(firewalls.insert(project=PROJECT, body=body)).message
    )
    body["allowed"] = [{"IPProtocol": "tcp", "ports": ["443"]}]
    firewalls.insert(project=PROJECT, body=body).execute()
    firewall = firewalls.get(project=PROJECT, firewall="fw").execute()
    assert (firewall["priority"], firewall["direction"]) == (1000, "INGRESS")


def test_a_placement_policy_is_one_thing(google: ApiServer) -> None:
    collection = client(google, "compute").resourcePolicies()
    at = {"project": PROJECT, "region": REGION}
    assert "Exactly one policy" in refused(collection.insert(**at, body={"name": "p"})).message
    body = {"name": "p", "groupPlacementPolicy": {"collocation": "COLLOCATED", "availabilityDomainCount": 2}}
    assert refused(collection.insert(**at, body=body)).code == 400
    collection.insert(
        **at, body={"name": "p", "groupPlacementPolicy": {"collocation": "COLLOCATED"}}
    ).execute()
    assert collection.get(**at, resourcePolicy="p").execute()["status"] == "READY"


def test_a_reservation_is_of_a_machine_type_that_the_zone_has(google: ApiServer) -> None:
    collection = client(google, "compute").reservations()
    at = {"project": PROJECT, "zone": "us-central1-a"}
    specific = {"count": "2", "instanceProperties": {"machineType": "a3-highgpu-9g"}}
    error = refused(collection.insert(**at, body={"name": "r", "specificReservation": specific}))
    assert "does not exist in zone 'us-central1-a'" in error.message
    specific["instanceProperties"] = {"machineType": "a3-highgpu-8g"}
    collection.insert(**at, body={"name": "r", "specificReservation": specific}).execute()
    assert collection.get(**at, reservation="r").execute()["specificReservation"]["inUseCount"] == "0"


def test_zones_and_their_machine_types_are_googles(google: ApiServer) -> None:
    compute = client(google, "compute")
    names = [zone["name"] for zone in compute.zones().list(project=PROJECT).execute()["items"]]
    assert "us-central1-a" in names
    machine = (
        compute.machineTypes()
        .get(project=PROJECT, zone="us-central1-a", machineType="a3-highgpu-8g")
        .execute()
    )
    assert machine["accelerators"] == [
        {"guestAcceleratorType": "nvidia-h100-80gb", "guestAcceleratorCount": 8}
    ]
    request = compute.machineTypes().get(project=PROJECT, zone="us-west3-a", machineType="a3-highgpu-8g")
    assert refused(request).code == 404
    cards = compute.acceleratorTypes().list(project=PROJECT, zone="us-central1-a").execute()["items"]
    assert "nvidia-l4" in [card["name"] for card in cards]
    # `aiplatform preflight` asks for one.
    types, place = compute.acceleratorTypes(), {"project": PROJECT, "zone": "us-central1-a"}
    assert types.get(**place, acceleratorType="nvidia-l4").execute() in cards
    assert refused(types.get(**place, acceleratorType="nvidia-h800")).code == 404
    quotas = compute.regions().get(project=PROJECT, region=REGION).execute()["quotas"]
    assert {"metric": "STATIC_ADDRESSES", "limit": 69.0, "usage": 0.0} in quotas
