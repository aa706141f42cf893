"""Clusters: what is made, what is read back, how they go."""

from __future__ import annotations

from twin.gcp.api_server import inventory
from twin.tests.gcp.api_servers import PROJECT, REGION, client, refused
from twin.tests.gcp.services.container.scene import CLUSTER, NODES, PARENT, Gke


def test_a_cluster_is_running_once_its_control_plane_answers_and_its_nodes_are_ready(gke: Gke) -> None:
    operation = gke.create()
    assert (operation["operationType"], operation["status"]) == ("CREATE_CLUSTER", "RUNNING")
    assert gke.get()["status"] == "PROVISIONING"
    seen = gke.view("cluster")["cluster"]
    assert (seen["name"], seen["status"], seen["service_cidr"]) == ("demo", "CREATING", "10.8.0.0/20")
    gke.view("cluster_ready", endpoint="https://127.0.0.1:6443", certificate_authority="Q0E=")
    assert gke.view("cluster")["cluster"]["status"] == "ACTIVE", "its nodes may join"
    assert gke.operation(operation)["status"] == "RUNNING", "its first pool's nodes are not Ready yet"
    gke.nodes_ready()
    assert gke.operation(operation)["status"] == "DONE"
    cluster_body = gke.get()
    assert (cluster_body["status"], cluster_body["endpoint"]) == ("RUNNING", "127.0.0.1:6443")
    assert cluster_body["masterAuth"]["clusterCaCertificate"] == "Q0E="
    assert cluster_body["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"] == "127.0.0.1:6443"
    assert cluster_body["currentMasterVersion"] == "1.35.7-gke.1222000", "the channel's default"
    assert cluster_body["currentNodeCount"] == 1
    assert cluster_body["nodePools"][0]["config"]["serviceAccount"] == NODES
    assert cluster_body["locations"] == [f"{REGION}-{letter}" for letter in "abc"]
    assert cluster_body["selfLink"].endswith(f"/v1/{CLUSTER}")


def test_deleting_a_cluster_takes_its_node_pools_and_machines_along(gke: Gke) -> None:
    gke.running()
    gke.add_pool("more", locations=[f"{REGION}-b"])
    assert len(inventory.of(gke.server)["compute.instances"]) == 2
    operation = gke.clusters.delete(name=CLUSTER).execute()
    assert gke.get()["status"] == "STOPPING"
    assert gke.view("cluster")["cluster"]["status"] == "DELETING"
    assert gke.view("machines")["machines"] == []
    gke.view("cluster_gone")
    assert gke.operation(operation)["status"] == "DONE"
    assert refused(gke.clusters.get(name=CLUSTER)).code == 404
    left = inventory.of(gke.server)
    assert not any(name.startswith("container") or "nstance" in name for name in left), "nothing is left"
    assert len(gke.create(name="demo")["name"]) > 10, "the name is free again"


def test_one_instance_has_one_cluster(gke: Gke) -> None:
    gke.create()
    assert gke.refuse().code == 409
    other = gke.refuse(name="other")
    assert "one twin has one control plane" in other.message


def test_without_node_pools_the_first_is_called_default_pool(gke: Gke) -> None:
    config = {"machineType": "e2-standard-2", "serviceAccount": NODES}
    gke.running(nodePools=None, initialNodeCount=1, nodeConfig=config, locations=[f"{REGION}-a"])
    pool = gke.get()["nodePools"][0]
    assert (pool["name"], pool["initialNodeCount"]) == ("default-pool", 1)
    operation = gke.clusters.nodePools().delete(name=f"{CLUSTER}/nodePools/default-pool").execute()
    assert operation["status"] == "RUNNING"
    gke.view("machines")
    gke.view("machines")
    assert gke.operation(operation)["status"] == "DONE", "its nodes were seen to go"
    assert "nodePools" not in gke.get()


def test_a_zonal_cluster_has_its_nodes_in_its_zone(gke: Gke) -> None:
    parent = f"projects/{PROJECT}/locations/{REGION}-b"
    gke.create(
        parent, nodePools=[{"name": "one", "initialNodeCount": 2, "config": {"serviceAccount": NODES}}]
    )
    response = gke.clusters.get(name=f"{parent}/clusters/demo").execute()
    assert response["locations"] == [f"{REGION}-b"]
    assert len(gke.view("machines")["machines"]) == 2
    assert "/zones/us-central1-b/clusters/demo" in response["selfLink"]


def test_a_regional_cluster_has_the_initial_number_in_each_zone(gke: Gke) -> None:
    gke.create(nodePools=[{"name": "one", "initialNodeCount": 2, "config": {"serviceAccount": NODES}}])
    zones = [machine["labels"]["topology.kubernetes.io/zone"] for machine in gke.view("machines")["machines"]]
    assert sorted(zones) == sorted([f"{REGION}-{letter}" for letter in "abc"] * 2)


def test_the_old_paths_lead_to_the_same_cluster(gke: Gke) -> None:
    parent = f"projects/{PROJECT}/locations/{REGION}-b"
    gke.create(
        parent, nodePools=[{"name": "one", "initialNodeCount": 1, "config": {"serviceAccount": NODES}}]
    )
    zones = client(gke.server, "container").projects().zones()
    cluster = zones.clusters().get(projectId=PROJECT, zone=f"{REGION}-b", clusterId="demo").execute()
    assert cluster["name"] == "demo"
    assert zones.getServerconfig(projectId=PROJECT, zone=f"{REGION}-b").execute()["channels"]


def test_upgrade_info_has_the_end_of_support_and_the_newest_patch(gke: Gke) -> None:
    gke.running()
    info = gke.clusters.fetchClusterUpgradeInfo(name=CLUSTER).execute()
    assert info["endOfStandardSupportTimestamp"] == "2027-04-11T00:00:00Z"
    assert "patchTargetVersion" not in info, "the cluster has the newest patch that its channel offers"
    assert refused(gke.clusters.fetchClusterUpgradeInfo(name=f"{CLUSTER}-other")).code == 404


def test_the_server_config_tells_each_channels_versions(prepared: Gke) -> None:
    config = (
        client(prepared.server, "container").projects().locations().getServerConfig(name=PARENT).execute()
    )
    channels = {channel["channel"]: channel for channel in config["channels"]}
    assert set(channels) == {"RAPID", "REGULAR", "STABLE", "EXTENDED"}
    for channel_body in channels.values():
        assert channel_body["defaultVersion"] in channel_body["validVersions"]


def test_a_range_that_is_not_named_is_made_and_goes_with_the_cluster(gke: Gke) -> None:
    def ranges() -> list[str]:
        subnet = (
            client(gke.server, "compute")
            .subnetworks()
            .get(project=PROJECT, region=REGION, subnetwork="nodes")
        )
        return [
            secondary_ip_range["rangeName"] for secondary_ip_range in subnet.execute()["secondaryIpRanges"]
        ]

    policy = {
        "clusterSecondaryRangeName": None,
        "servicesSecondaryRangeName": None,
        "clusterIpv4CidrBlock": "/16",
    }
    gke.running(ipAllocationPolicy=policy)
    assert [range_name for range_name in ranges() if range_name.startswith("gke-demo-")], "GKE made them"
    assert gke.get()["clusterIpv4Cidr"].endswith("/16")
    gke.clusters.delete(name=CLUSTER).execute()
    gke.view("cluster_gone")
    assert not [range_name for range_name in ranges() if range_name.startswith("gke-demo-")]
