"""Networks, subnetworks and ranges, as google-api-python-client sees them."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.api_server import inventory
from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION, client, refused

PODS = {"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"}


def insert_subnetwork(server: ApiServer, **body: Any) -> Any:
    """The request for one more subnetwork."""
    whole = {"name": "more", "network": "global/networks/net", "ipCidrRange": "10.200.0.0/24", **body}
    return client(server, "compute").subnetworks().insert(project=PROJECT, region=REGION, body=whole)


@pytest.fixture(scope="module")
def nodes(shared: ApiServer) -> ApiServer:
    """The shared Google, with a subnetwork `nodes` and its range for pods."""
    api_servers.subnetwork(shared, secondaryIpRanges=[PODS])
    return shared


def test_a_network_needs_its_mode(google: ApiServer) -> None:
    error = refused(client(google, "compute").networks().insert(project=PROJECT, body={"name": "net"}))
    assert "legacy networks can no longer be created" in error.message


def test_a_network_comes_and_goes_with_its_default_route(google: ApiServer) -> None:
    api_servers.network(google)
    compute = client(google, "compute")
    link = "https://www.googleapis.com/compute/v1/projects/acme-ml-dev/global/networks/net"
    # What terraform-provider-google asks to delete the default route.
    filtered = f'(network="{link}") (destRange="0.0.0.0/0")'
    routes = compute.routes().list(project=PROJECT, filter=filtered).execute()["items"]
    assert [route["nextHopGateway"].rsplit("/", 1)[-1] for route in routes] == ["default-internet-gateway"]
    compute.networks().delete(project=PROJECT, network="net").execute()
    assert "items" not in compute.routes().list(project=PROJECT).execute()
    assert inventory.of(google) == {}


def test_an_auto_mode_network_has_a_subnetwork_in_every_region(google: ApiServer) -> None:
    compute = client(google, "compute")
    compute.networks().insert(project=PROJECT, body={"name": "auto", "autoCreateSubnetworks": True}).execute()
    items = compute.subnetworks().aggregatedList(project=PROJECT).execute()["items"]
    assert "regions/us-central1" in items
    compute.networks().delete(project=PROJECT, network="auto").execute()
    assert inventory.of(google) == {}, "what auto mode made goes with the network"


def test_a_network_with_a_subnetwork_stays(google: ApiServer) -> None:
    api_servers.network(google)
    api_servers.subnetwork(google)
    error = refused(client(google, "compute").networks().delete(project=PROJECT, network="net"))
    assert error.reason == "resourceInUseByAnotherResource"
    assert (
        "is already being used by 'projects/acme-ml-dev/regions/us-central1/subnetworks/nodes'"
        in error.message
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"ipCidrRange": "10.0.1.0/24"},
            "conflicts with existing subnetwork 'nodes' in region 'us-central1'",
        ),
        ({"ipCidrRange": "10.5.0.0/24"}, "conflicts with existing subnetwork 'nodes'"),
        ({"ipCidrRange": "10.200.0.1/24"}, "host bits are set, 10.200.0.0/24 is right"),
        ({"ipCidrRange": "10.200.0.0/30"}, "prefix length must be from 4 to 29"),
        ({"ipCidrRange": "127.0.0.0/24"}, "prohibited range 127.0.0.0/8"),
        ({"secondaryIpRanges": [{**PODS, "ipCidrRange": "10.200.0.0/16"}]}, "overlaps the primary range"),
        ({"secondaryIpRanges": [{**PODS, "rangeName": "Pods"}]}, "Must be a match of regex"),
        (
            {"secondaryIpRanges": [{**PODS, "ipCidrRange": f"10.{n}.0.0/16"} for n in (210, 211)]},
            "Duplicate secondary range name",
        ),
        ({"network": "global/networks/none"}, "The referenced network resource cannot be found"),
        ({"network": "net"}, "The URL is malformed"),
        ({"logConfig": {"enable": True, "flowSampling": 2}}, "Must be from 0.0 to 1.0"),
        ({"purpose": "REGIONAL_MANAGED_PROXY"}, "Role must be ACTIVE or BACKUP"),
        ({"role": "ACTIVE"}, "Role cannot be set for a subnetwork of purpose PRIVATE"),
        ({"ipCidrRange": ""}, "Required field 'resource.ipCidrRange' not specified"),
    ],
)
def test_a_subnetwork_that_cannot_be_is_refused(nodes: ApiServer, body: dict[str, Any], words: str) -> None:
    error = refused(insert_subnetwork(nodes, **body))
    assert error.code == 400
    assert words in error.message


def test_an_unknown_region_is_refused(google: ApiServer) -> None:
    api_servers.network(google)
    request = (
        client(google, "compute")
        .subnetworks()
        .insert(project=PROJECT, region="us-nowhere1", body={"name": "x", "network": "global/networks/net"})
    )
    assert "Unknown region." in refused(request).message


def test_a_patch_needs_the_current_fingerprint(google: ApiServer) -> None:
    api_servers.network(google)
    api_servers.subnetwork(google)
    subnetworks = client(google, "compute").subnetworks()
    at = {"project": PROJECT, "region": REGION, "subnetwork": "nodes"}
    assert refused(subnetworks.patch(**at, body={"privateIpGoogleAccess": True})).code == 412
    assert refused(subnetworks.patch(**at, body={"fingerprint": "AAAAAAAAAAA="})).reason == "conditionNotMet"
    current = subnetworks.get(**at).execute()
    body = {"fingerprint": current["fingerprint"], "secondaryIpRanges": [PODS]}
    subnetworks.patch(**at, body=body).execute()
    after = subnetworks.get(**at).execute()
    assert after["secondaryIpRanges"] == [PODS]
    assert after["fingerprint"] != current["fingerprint"]
    error = refused(
        subnetworks.patch(**at, body={"fingerprint": after["fingerprint"], "ipCidrRange": "10.9.0.0/24"})
    )
    assert "cannot be changed" in error.message


def test_a_secondary_range_that_pods_use_stays(google: ApiServer) -> None:
    api_servers.network(google)
    subnet = api_servers.subnetwork(google, secondaryIpRanges=[PODS])
    with google.state.transaction():
        google.state.put(
            f"container/projects/{PROJECT}/locations/us-central1/clusters/c",
            {
                "networkConfig": {"subnetwork": subnet.partition("/v1/")[2], "network": "net"},
                "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods"},
            },
        )
    subnetworks = client(google, "compute").subnetworks()
    at = {"project": PROJECT, "region": REGION, "subnetwork": "nodes"}
    current = subnetworks.get(**at).execute()
    body = {"fingerprint": current["fingerprint"], "secondaryIpRanges": []}
    error = refused(subnetworks.patch(**at, body=body))
    assert "already being used by 'projects/acme-ml-dev/locations/us-central1/clusters/c'" in error.message
    assert refused(subnetworks.delete(**at)).reason == "resourceInUseByAnotherResource"


def test_a_primary_range_only_grows(google: ApiServer) -> None:
    api_servers.network(google)
    api_servers.subnetwork(google, cidr="10.0.0.0/24")
    subnetworks = client(google, "compute").subnetworks()
    at = {"project": PROJECT, "region": REGION, "subnetwork": "nodes"}
    request = subnetworks.expandIpCidrRange(**at, body={"ipCidrRange": "10.0.0.0/25"})
    assert "must be larger" in refused(request).message
    subnetworks.expandIpCidrRange(**at, body={"ipCidrRange": "10.0.0.0/22"}).execute()
    assert subnetworks.get(**at).execute()["ipCidrRange"] == "10.0.0.0/22"


def test_a_network_for_rdma_has_its_zones_profile(google: ApiServer) -> None:
    compute = client(google, "compute")
    profile = (
        compute.networkProfiles().get(project=PROJECT, networkProfile="us-central1-b-vpc-roce").execute()
    )
    assert profile["location"] == {"name": "us-central1-b", "scope": "ZONE"}
    api_servers.network(google, networkProfile=profile["selfLink"])
    network = compute.networks().get(project=PROJECT, network="net").execute()
    assert network["mtu"] == 1460, "as of every network that does not say it"
    body = {"name": "r", "network": "global/networks/net"}
    error = refused(compute.routers().insert(project=PROJECT, region=REGION, body=body))
    assert "because of its network profile 'us-central1-b-vpc-roce'" in error.message
    api_servers.network(google, "plain")
    wrong = {
        "name": "x",
        "autoCreateSubnetworks": False,
        "networkProfile": "global/networkProfiles/mars-vpc-roce",
    }
    assert "does not exist" in refused(compute.networks().insert(project=PROJECT, body=wrong)).message


def test_networks_have_a_quota(google: ApiServer) -> None:
    for number in range(15):
        api_servers.network(google, f"n{number}")
    body = {"name": "one-more", "autoCreateSubnetworks": False}
    error = refused(client(google, "compute").networks().insert(project=PROJECT, body=body))
    assert (error.code, error.reason) == (403, "quotaExceeded")
    assert error.message == "Quota 'NETWORKS' exceeded.  Limit: 15.0 globally."


def test_a_region_has_one_active_proxy_only_subnetwork(google: ApiServer) -> None:
    api_servers.network(google)
    proxies = {"purpose": "REGIONAL_MANAGED_PROXY", "role": "ACTIVE"}
    small = refused(insert_subnetwork(google, **proxies, ipCidrRange="10.200.0.0/27"))
    assert "prefix length must be from 4 to 26" in small.message
    insert_subnetwork(google, **proxies, ipCidrRange="10.200.0.0/23").execute()
    again = insert_subnetwork(google, **proxies, name="again", ipCidrRange="10.201.0.0/23")
    assert "already exists in region us-central1" in refused(again).message


def test_a_subnetworks_route_stays(google: ApiServer) -> None:
    api_servers.network(google)
    api_servers.subnetwork(google)
    routes = client(google, "compute").routes()
    local = next(
        route
        for route in routes.list(project=PROJECT).execute()["items"]
        if route["destRange"] == "10.0.0.0/20"
    )
    assert "cannot be deleted" in refused(routes.delete(project=PROJECT, route=local["name"])).message


def test_a_quota_of_the_project_is_answered_and_kept_to(google: ApiServer) -> None:
    google.faults.add({"kind": "quota", "metric": "NETWORKS", "limit": 1})
    answer = client(google, "compute").projects().get(project=PROJECT).execute()
    assert {"metric": "NETWORKS", "limit": 1.0, "usage": 0.0} in answer["quotas"]
    api_servers.network(google, "first")
    body = {"name": "second", "autoCreateSubnetworks": False}
    error = refused(client(google, "compute").networks().insert(project=PROJECT, body=body))
    assert error.message == "Quota 'NETWORKS' exceeded.  Limit: 1.0 globally."
