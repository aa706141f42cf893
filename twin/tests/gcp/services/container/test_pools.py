"""Node pools: how they are sized, changed and removed, and what Compute sees of them."""

from __future__ import annotations

import pytest

from twin.gcp.api_server.errors import GoogleError
from twin.gcp.services.container.operations import controller_api
from twin.tests.gcp.api_servers import PROJECT, REGION, client, refused
from twin.tests.gcp.services.container.scene import CLUSTER, Gke
from twin.tests.gcp.services.container.test_pool_rules import FLEX, QUEUED

POOL = f"{CLUSTER}/nodePools/first"


def _names(cluster: Gke) -> set[str]:
    return {machine["name"] for machine in cluster.view("machines")["machines"]}


def test_a_pool_stands_in_compute_as_groups_and_instances(running: Gke) -> None:
    compute = client(running.server, "compute")
    url = running.pool("first")["instanceGroupUrls"][0]
    name = url.rpartition("/")[2]
    group = (
        compute.instanceGroupManagers()
        .get(project=PROJECT, zone=f"{REGION}-a", instanceGroupManager=name)
        .execute()
    )
    assert (group["targetSize"], group["name"]) == (1, name)
    instances = compute.instances().list(project=PROJECT, zone=f"{REGION}-a").execute()["items"]
    (instance,) = [candidate for candidate in instances if candidate["name"].startswith("gke-demo-first-")]
    assert instance["networkInterfaces"][0]["networkIP"].startswith("10.0.")
    assert instance["labels"]["goog-k8s-cluster-name"] == "demo"
    assert instance["labels"]["team"] == "ml", "the cluster's labels go on"
    assert instance["machineType"].endswith("/machineTypes/e2-standard-4")


def test_a_new_size_is_done_when_its_nodes_are_ready(cluster: Gke) -> None:
    before = _names(cluster)
    operation = cluster.clusters.nodePools().setSize(name=POOL, body={"nodeCount": 3}).execute()
    assert operation["status"] == "RUNNING"
    assert before < _names(cluster), "the old ones stay"
    cluster.nodes_ready()
    assert cluster.operation(operation)["status"] == "DONE"
    cluster.clusters.nodePools().setSize(name=POOL, body={"nodeCount": 0}).execute()
    assert not _names(cluster)


def test_labels_and_taints_reach_nodes_that_stay(cluster: Gke) -> None:
    before = _names(cluster)
    taint = {"key": "dedicated", "value": "x", "effect": "NO_SCHEDULE"}
    body = {"labels": {"labels": {"tier": "gold"}}, "taints": {"taints": [taint]}}
    cluster.clusters.nodePools().update(name=POOL, body=body).execute()
    (machine,) = cluster.view("machines")["machines"]
    assert machine["labels"]["tier"] == "gold"
    assert machine["taints"] == [{"key": "dedicated", "value": "x", "effect": "NoSchedule"}]
    assert _names(cluster) == before


def test_another_machine_type_replaces_the_nodes(cluster: Gke) -> None:
    before = _names(cluster)
    cluster.clusters.nodePools().update(name=POOL, body={"machineType": "n2-standard-8"}).execute()
    assert cluster.pool("first")["config"]["machineType"] == "n2-standard-8"
    assert not before & _names(cluster)


def test_another_zone_gets_a_group_of_the_same_size(cluster: Gke) -> None:
    zones = [f"{REGION}-a", f"{REGION}-c"]
    cluster.clusters.nodePools().update(name=POOL, body={"locations": zones}).execute()
    assert len(cluster.pool("first")["instanceGroupUrls"]) == 2
    assert len(_names(cluster)) == 2
    cluster.clusters.nodePools().update(name=POOL, body={"locations": zones[1:]}).execute()
    assert len(cluster.pool("first")["instanceGroupUrls"]) == 1


def test_autoscaling_is_changed_by_either_way(cluster: Gke) -> None:
    limits = {"enabled": True, "minNodeCount": 1, "maxNodeCount": 4}
    cluster.update(desiredNodePoolId="first", desiredNodePoolAutoscaling=limits)
    (group,) = cluster.view("groups")["groups"]
    assert (group["minimum"], group["maximum"], group["built_in"]) == (1, 4, True)
    bad = {**limits, "minNodeCount": 5}
    assert cluster.refuse_update(desiredNodePoolId="first", desiredNodePoolAutoscaling=bad).code == 400
    cluster.clusters.nodePools().setAutoscaling(name=POOL, body={"autoscaling": {"enabled": False}}).execute()
    (group,) = cluster.view("groups")["groups"]
    assert group["built_in"] is False


GPUS = {"machineType": "g2-standard-8"}
TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}


def test_gpu_nodes_are_tainted_where_another_pool_has_no_gpus(cluster: Gke) -> None:
    cluster.add_pool("gpus", config=GPUS)
    cluster.nodes_ready()
    assert cluster.pool("gpus")["config"]["taints"] == [TAINT]
    custom_taint = {"key": "team", "value": "ml", "effect": "NO_SCHEDULE"}
    cluster.clusters.nodePools().update(
        name=f"{CLUSTER}/nodePools/gpus", body={"taints": {"taints": [custom_taint]}}
    ).execute()
    assert cluster.pool("gpus")["config"]["taints"] == [custom_taint, TAINT], "GKE's own stays"
    cluster.add_pool("named", config={**GPUS, "taints": [TAINT]})
    assert cluster.pool("named")["config"]["taints"] == [TAINT], "once, where the pool names it itself"


def test_gpu_nodes_of_the_only_pool_are_not_tainted_then_or_later(cluster: Gke) -> None:
    cluster.clusters.nodePools().delete(name=POOL).execute()
    for _ in range(2):  # its machines, then the pool
        cluster.view("machines")
    cluster.add_pool("gpus", config=GPUS)
    cluster.nodes_ready()
    assert not cluster.pool("gpus")["config"].get("taints")
    cluster.add_pool("later")
    assert not cluster.pool("gpus")["config"].get("taints"), "not retroactively"


def test_bundled_local_ssds_are_ephemeral_storage_where_nothing_is_said_of_them(cluster: Gke) -> None:
    cluster.add_pool("fast", config={"machineType": "c3-standard-8-lssd"})
    assert cluster.pool("fast")["config"]["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 2}


@pytest.mark.parametrize("queued", [False, True])
def test_flex_start_and_queued_pools_upgrade_as_gke_chooses_whatever_is_asked(
    cluster: Gke, queued: bool
) -> None:
    surge = {"strategy": "SURGE", "maxSurge": 1}
    arguments = {**(QUEUED if queued else FLEX), "upgradeSettings": surge}
    cluster.add_pool("flex", **arguments)
    assert cluster.pool("flex")["upgradeSettings"] == {"strategy": "SHORT_LIVED"}
    cluster.clusters.nodePools().update(
        name=f"{CLUSTER}/nodePools/flex", body={"upgradeSettings": surge}
    ).execute()
    assert cluster.pool("flex")["upgradeSettings"] == {"strategy": "SHORT_LIVED"}


def test_a_slice_of_the_autoscalers_becomes_one_that_stays(cluster: Gke) -> None:
    cluster.add_pool(
        "slice",
        config={"machineType": "ct5lp-hightpu-4t"},
        locations=[f"{REGION}-a"],
        placementPolicy={"type": "COMPACT", "tpuTopology": "4x4"},
        initialNodeCount=0,
        autoscaling={"enabled": True, "maxNodeCount": 4},
    )
    before = len(cluster.view("machines")["machines"])
    pools, name = cluster.clusters.nodePools(), f"{CLUSTER}/nodePools/slice"
    pools.setAutoscaling(name=name, body={"autoscaling": {"enabled": False}}).execute()
    pools.setSize(name=name, body={"nodeCount": 4}).execute()
    assert len(cluster.view("machines")["machines"]) == before + 4


def test_a_pool_that_is_busy_is_left_alone(cluster: Gke) -> None:
    operation = cluster.clusters.nodePools().setSize(name=POOL, body={"nodeCount": 2}).execute()
    refusal = refused(cluster.clusters.nodePools().setSize(name=POOL, body={"nodeCount": 3}))
    assert refusal.message == f"Cluster is running incompatible operation {operation['name']}."
    assert refusal.status == "FAILED_PRECONDITION", "who asks tries again"
    cluster.add_pool("other", initialNodeCount=0)


def test_a_zone_without_machines_fails_the_pool_that_is_made(
    cluster: Gke, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.server.faults.add({"kind": "capacity", "machine_type": "g2-standard-8"})
    operation = cluster.add_pool("gpu", config={"machineType": "g2-standard-8"})
    cluster.nodes_ready()
    assert cluster.operation(operation)["status"] == "RUNNING", "it waits for machines"
    monkeypatch.setattr(controller_api, "PATIENCE", -1.0)
    cluster.view("node_group_health", node_group="gpu", ready=0, issues=[])
    answered = cluster.operation(operation)
    assert answered["status"] == "DONE"
    assert "ZONE_RESOURCE_POOL_EXHAUSTED" in answered["error"]["message"]
    assert cluster.pool("gpu")["status"] == "ERROR"


def test_a_shortage_leaves_a_growing_group_as_it_was(cluster: Gke) -> None:
    cluster.update(
        desiredNodePoolId="first",
        desiredNodePoolAutoscaling={"enabled": True, "minNodeCount": 0, "maxNodeCount": 4},
    )
    group = cluster.view("groups")["groups"][0]["name"]
    cluster.server.faults.add({"kind": "capacity", "machine_type": "e2-standard-4"})
    with pytest.raises(GoogleError, match="does not have enough resources available"):
        cluster.view("set_desired", group=group, count=3, role="")
    assert cluster.view("groups")["groups"][0]["desired"] == 1
    cluster.server.faults.clear("")
    cluster.view("set_desired", group=group, count=3, role="")
    machine = cluster.view("machines")["machines"][0]
    cluster.view("terminate", group=group, provider_id=machine["provider_id"], role="")
    assert machine["name"] not in _names(cluster)
    assert cluster.view("groups")["groups"][0]["desired"] == 2


def test_machines_for_a_request_come_all_or_none_and_are_marked(cluster: Gke) -> None:
    names = [group["name"] for group in cluster.view("groups")["groups"]]
    cluster.view("grow_for", request="train", sizes={names[0]: 3})
    marks = [
        machine["labels"].get("autoscaling.gke.io/provisioning-request")
        for machine in cluster.view("machines")["machines"]
    ]
    assert sorted(mark or "" for mark in marks) == ["", "train", "train"]


def test_nodes_beyond_the_pods_range_do_not_come(cluster: Gke) -> None:
    cluster.add_pool("few", networkConfig={"podRange": "few"})
    name = f"{CLUSTER}/nodePools/few"
    cluster.nodes_ready()
    refusal = refused(cluster.clusters.nodePools().setSize(name=name, body={"nodeCount": 2}))
    assert "the Pods range few (10.9.0.0/24) has no room for 1 more nodes of /24" in refusal.message
