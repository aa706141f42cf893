"""Routers with NAT, addresses, and the ranges of private services."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION, client, refused

NAT: dict[str, Any] = {
    "name": "nat",
    "natIpAllocateOption": "AUTO_ONLY",
    "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
}
AT = {"project": PROJECT, "region": REGION}


def insert_router(server: ApiServer, nat: dict[str, Any], name: str = "router") -> Any:
    """The request for a router with one NAT."""
    body = {"name": name, "network": "global/networks/net", "nats": [{**NAT, **nat}]}
    return client(server, "compute").routers().insert(**AT, body=body)


@pytest.mark.parametrize(
    ("nat", "words"),
    [
        ({"natIpAllocateOption": "MANUAL_ONLY"}, "Must be given with MANUAL_ONLY"),
        (
            {"natIps": ["regions/us-central1/addresses/none"]},
            "The referenced address resource cannot be found",
        ),
        ({"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS"}, "Subnetworks must be given"),
        ({"minPortsPerVm": 33, "enableDynamicPortAllocation": True}, "power of two"),
        ({"maxPortsPerVm": 128}, "only with dynamic port allocation"),
        (
            {"enableDynamicPortAllocation": True, "enableEndpointIndependentMapping": True},
            "cannot both be enabled",
        ),
        ({"name": "N"}, "Must be a match of regex"),
    ],
)
def test_a_nat_that_cannot_be_is_refused(shared: ApiServer, nat: dict[str, Any], words: str) -> None:
    error = refused(insert_router(shared, nat))
    assert error.code == 400
    assert words in error.message


def test_two_nats_do_not_translate_the_same_range(google: ApiServer) -> None:
    api_servers.network(google)
    insert_router(google, {}).execute()
    assert "apply to the same subnetwork ranges" in refused(insert_router(google, {}, "second")).message


def test_an_address_that_a_nat_uses_stays(google: ApiServer) -> None:
    api_servers.network(google)
    compute = client(google, "compute")
    compute.addresses().insert(**AT, body={"name": "egress", "labels": {"team": "ml"}}).execute()
    address = compute.addresses().get(**AT, address="egress").execute()
    assert address["status"] == "RESERVED"
    manual = {"natIpAllocateOption": "MANUAL_ONLY", "natIps": [address["selfLink"]]}
    insert_router(google, manual).execute()
    response = compute.addresses().get(**AT, address="egress").execute()
    assert (response["status"], response["users"][0].rsplit("/", 1)[-1]) == ("IN_USE", "router")
    assert (
        refused(compute.addresses().delete(**AT, address="egress")).reason == "resourceInUseByAnotherResource"
    )
    api_servers.network(google, "other")
    second = {"name": "second", "network": "global/networks/other", "nats": [{**NAT, **manual}]}
    error = refused(compute.routers().insert(**AT, body=second))
    assert "The address is already in use by router 'router'" in error.message
    compute.routers().patch(**AT, router="router", body={"nats": []}).execute()
    compute.addresses().delete(**AT, address="egress").execute()


def test_labels_are_lower_case(google: ApiServer) -> None:
    compute = client(google, "compute")
    error = refused(compute.addresses().insert(**AT, body={"name": "a", "labels": {"Team": "ml"}}))
    assert "Label key must match" in error.message
    compute.addresses().insert(**AT, body={"name": "a"}).execute()
    request = compute.addresses().setLabels(
        **AT, resource="a", body={"labels": {"a": "b"}, "labelFingerprint": "AAAA"}
    )
    assert refused(request).code == 412, "labels change with their fingerprint"


def test_private_services_take_an_allocated_range(google: ApiServer) -> None:
    link = api_servers.network(google)
    compute, services = (
        client(google, "compute"),
        client(google, "servicenetworking").services().connections(),
    )
    parent, network = (
        "services/servicenetworking.googleapis.com",
        f"projects/{google.project_number}/global/networks/net",
    )
    body = {"network": network, "reservedPeeringRanges": ["psa"]}
    assert "Allocated IP range 'psa' not found" in refused(services.create(parent=parent, body=body)).message
    address = {"name": "psa", "purpose": "VPC_PEERING", "addressType": "INTERNAL", "network": link}
    error = refused(compute.globalAddresses().insert(project=PROJECT, body=address))
    assert "prefixLength" in error.message
    compute.globalAddresses().insert(project=PROJECT, body={**address, "prefixLength": 20}).execute()
    wrong = {**body, "network": f"projects/{PROJECT}/global/networks/net"}
    assert "by its number" in refused(services.create(parent=parent, body=wrong)).message
    assert services.create(parent=parent, body=body).execute()["done"]
    assert services.list(parent=parent, network=network).execute()["connections"][0][
        "reservedPeeringRanges"
    ] == ["psa"]
    taken = compute.globalAddresses().get(project=PROJECT, address="psa").execute()
    error = refused(compute.globalAddresses().delete(project=PROJECT, address="psa"))
    assert error.reason == "resourceInUseByAnotherResource"
    body = {"name": "s", "network": link, "ipCidrRange": f"{taken['address']}/24"}
    assert "allocated range 'psa'" in refused(compute.subnetworks().insert(**AT, body=body)).message
    assert refused(compute.networks().delete(project=PROJECT, network="net")).code == 400
    name = f"{parent}/connections/servicenetworking-googleapis-com"
    services.deleteConnection(name=name, body={"consumerNetwork": network}).execute()
    compute.globalAddresses().delete(project=PROJECT, address="psa").execute()
    compute.networks().delete(project=PROJECT, network="net").execute()
