"""What GKE refuses of a node pool, in its words."""

from __future__ import annotations

from typing import Any

import pytest

from twin.tests.gcp.api_servers import PROJECT, REGION, client, refused
from twin.tests.gcp.services.container.scene import CLUSTER, NODES, Gke, merged, pool_body

NONE = {"consumeReservationType": "NO_RESERVATION"}
GROWS = {"enabled": True, "minNodeCount": 0, "maxNodeCount": 2}
FLEX: dict[str, Any] = {
    "initialNodeCount": 0,
    "config": {"machineType": "a3-highgpu-8g", "flexStart": True, "reservationAffinity": NONE},
    "management": {"autoUpgrade": True, "autoRepair": False},
    "autoscaling": GROWS,
}
QUEUED = merged(FLEX, {"queuedProvisioning": {"enabled": True}})


def _gpu(machine: str, card: str, count: int, **more: Any) -> dict[str, Any]:
    accelerator = {"acceleratorType": card, "acceleratorCount": str(count), **more}
    return {"config": {"machineType": machine, "accelerators": [accelerator]}}


def _mig(size: str) -> dict[str, Any]:
    return _gpu("a2-highgpu-1g", "nvidia-tesla-a100", 1, gpuPartitionSize=size)


def _shared(strategy: str, clients: int, **more: Any) -> dict[str, Any]:
    sharing = {"gpuSharingStrategy": strategy, "maxSharedClientsPerGpu": str(clients)}
    return _gpu("a2-highgpu-1g", "nvidia-tesla-a100", 1, gpuSharingConfig=sharing, **more)


def _tpu(machine: str, topology: str, count: int, **more: Any) -> dict[str, Any]:
    return {
        "config": {"machineType": machine},
        "placementPolicy": {"type": "COMPACT", "tpuTopology": topology},
        "initialNodeCount": count,
        **more,
    }


def _reserved(*names: str, **more: Any) -> dict[str, Any]:
    affinity = {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": list(names),
    }
    return {"config": {"reservationAffinity": affinity, **more}}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a machine type that is none": (
        {"config": {"machineType": "e3-standard-4"}},
        'Machine type with name "e3-standard-4" does not exist in zone us-central1-a',
    ),
    "a machine type that the zone does not have": (
        {"config": {"machineType": "a4-highgpu-8g"}},
        'Machine type with name "a4-highgpu-8g" does not exist in zone us-central1-a',
    ),
    "a card that the zone does not have": (
        {**_gpu("n1-standard-8", "nvidia-tesla-p4", 1), "locations": [f"{REGION}-b"]},
        'Accelerator type "nvidia-tesla-p4" does not exist in zone us-central1-b',
    ),
    "a card that is none": (
        _gpu("n1-standard-8", "nvidia-t4", 1),
        'Accelerator type "nvidia-t4" does not exist',
    ),
    "a card on a family that has another built in": (
        _gpu("g2-standard-8", "nvidia-tesla-t4", 1),
        "g2-standard-8 has 1 x nvidia-l4 built in, and takes no other",
    ),
    "a card on a family that takes none": (
        _gpu("n2-standard-8", "nvidia-tesla-t4", 1),
        "nvidia-tesla-t4 goes with n1 machine types only",
    ),
    "a built-in card on another machine": (
        _gpu("n1-standard-8", "nvidia-l4", 1),
        "goes with the machine types that have it built in only",
    ),
    "a number of cards that the machine does not have": (
        _gpu("g2-standard-48", "nvidia-l4", 1),
        "g2-standard-48 has 4 x nvidia-l4, got 1",
    ),
    "three T4": (_gpu("n1-standard-8", "nvidia-tesla-t4", 3), "attached in numbers of 1, 2, 4, got 3"),
    "too many vCPUs for one T4": (_gpu("n1-standard-96", "nvidia-tesla-t4", 1), "at most 48"),
    "a card on the default machine": (
        _gpu("e2-medium", "nvidia-tesla-t4", 1),
        "Cannot use default machine type",
    ),
    "a partition that the card does not have": (
        _mig("1g.10gb"),
        "its sizes are 1g.5gb, 2g.10gb, 3g.20gb, 7g.40gb",
    ),
    "a partition of a card without any": (
        _gpu("g2-standard-8", "nvidia-l4", 1, gpuPartitionSize="1g.5gb"),
        "none: the card has no multi-instance GPUs",
    ),
    "sharing by 49": (_shared("TIME_SHARING", 49), "must be from 2 to 48, got 49"),
    "MPS on partitions": (_shared("MPS", 4, gpuPartitionSize="1g.5gb"), "cannot be used with multi-instance"),
    "a3-highgpu-1g on demand": ({"config": {"machineType": "a3-highgpu-1g"}}, "Spot or flex-start VMs only"),
    "spot and preemptible": ({"config": {"spot": True, "preemptible": True}}, "cannot both be set"),
    "flex-start with spot": (merged(FLEX, {"config": {"spot": True}}), "flex-start cannot be used with Spot"),
    "flex-start with a reservation": (
        merged(FLEX, {"config": {"reservationAffinity": {"consumeReservationType": "ANY_RESERVATION"}}}),
        "must be NO_RESERVATION, got ANY_RESERVATION",
    ),
    "flex-start that says nothing of reservations": (
        merged(FLEX, {"config": {"reservationAffinity": None}}),
        "must be NO_RESERVATION, got none",
    ),
    "flex-start with auto-repair": (
        merged(FLEX, {"management": {"autoRepair": True}}),
        "autoRepair: must be false",
    ),
    "flex-start with nodes at once": (merged(FLEX, {"initialNodeCount": 1}), "initialNodeCount: must be 0"),
    "flex-start with a minimum": (
        merged(FLEX, {"autoscaling": {"minNodeCount": 1}}),
        "the minimum must be 0 with flex-start",
    ),
    "flex-start for eight days": (merged(FLEX, {"config": {"maxRunDuration": "691200s"}}), "to 604800s"),
    "flex-start without devices": (merged(FLEX, {"config": {"machineType": "n2-standard-8"}}), "has neither"),
    "queued with spot": (
        merged(QUEUED, {"config": {"spot": True}}),
        "queued provisioning cannot be used with Spot",
    ),
    "queued without autoscaling": (
        merged(QUEUED, {"autoscaling": None}),
        "autoscaling.enabled: must be true",
    ),
    "H200 on demand": (
        {"config": {"machineType": "a3-ultragpu-8g"}, "locations": [f"{REGION}-b"]},
        "a3-ultragpu-8g cannot be had on demand",
    ),
    "a reservation that is not there": (
        _reserved("none"),
        "Reservation none does not exist in zone us-central1-a",
    ),
    "two reservations": (_reserved("one", "two"), "exactly one reservation must be named, got 2"),
    "a reservation for spot": (_reserved("one", spot=True), "cannot consume reservations"),
    "a TPU topology that is none": (_tpu("ct5lp-hightpu-4t", "3x3", 1), "its topologies are 2x2, 2x4, 4x4"),
    "too few nodes for a slice": (
        _tpu("ct5lp-hightpu-4t", "4x4", 1),
        "a 4x4 slice of ct5lp-hightpu-4t has 4 nodes: it must be 4, got 1",
    ),
    "a slice that grows over its size": (
        _tpu("ct5lp-hightpu-4t", "2x4", 0, autoscaling={"enabled": True, "maxNodeCount": 3}),
        "the maximum must be 2, got 3",
    ),
    "a topology of a machine without TPUs": (_tpu("n2-standard-8", "2x2", 1), "is no TPU machine type"),
    "an account that is not there": (
        {"config": {"serviceAccount": f"no@{PROJECT}.iam.gserviceaccount.com"}},
        "does not exist",
    ),
    "a label of GKE's own": (
        {"config": {"labels": {"cloud.google.com/gke-nodepool": "x"}}},
        "label 'cloud.google.com/gke-nodepool' is reserved",
    ),
    "a label that is none": ({"config": {"labels": {"a/b/c": "x"}}}, "is not valid"),
    "a taint twice": (
        {"config": {"taints": [{"key": "a", "value": "b", "effect": "NO_SCHEDULE"}] * 2}},
        "duplicate",
    ),
    "a network tag with capitals": ({"config": {"tags": ["Web"]}}, "is no network tag"),
    "a resource label with capitals": ({"config": {"resourceLabels": {"team": "ML"}}}, "label value 'ML'"),
    "a minimum over the maximum": (
        {"autoscaling": {"enabled": True, "minNodeCount": 3, "maxNodeCount": 2}},
        "must be from 0 to the maximum (2)",
    ),
    "limits of both kinds": ({"autoscaling": {**GROWS, "totalMaxNodeCount": 4}}, "cannot both be set"),
    "more nodes than the maximum": (
        {"autoscaling": GROWS, "initialNodeCount": 3},
        "more than the maximum of 2",
    ),
    "no auto-upgrade in a channel": (
        {"management": {"autoUpgrade": False, "autoRepair": True}},
        "Auto_upgrade and auto_repair cannot be false when release_channel REGULAR is set",
    ),
    "compact placement of e2": (
        {"placementPolicy": {"type": "COMPACT"}},
        "Compact placement is not supported by machine type e2-standard-4",
    ),
    "a placement policy that is not there": (
        {
            "config": {"machineType": "n2-standard-8"},
            "placementPolicy": {"type": "COMPACT", "policyName": "no"},
        },
        'Resource policy "no" does not exist',
    ),
    "no way to upgrade": ({"upgradeSettings": {"maxSurge": 0, "maxUnavailable": 0}}, "cannot both be 0"),
    "a disk that the machine does not take": (
        {"config": {"machineType": "n4-standard-4", "diskType": "pd-balanced"}},
        "[n4-standard-4, pd-balanced] features are not compatible",
    ),
    "a disk type that is none": ({"config": {"diskType": "floppy"}}, 'Disk type "floppy" does not exist'),
    "an image type that is none": (
        {"config": {"imageType": "DEBIAN"}},
        'Image type "DEBIAN" is not supported',
    ),
    "local SSDs on e2": (
        {"config": {"ephemeralStorageLocalSsdConfig": {"localSsdCount": 1}}},
        "takes at most none local SSDs",
    ),
    "fewer local SSDs than the machine has": (
        {"config": {"machineType": "a3-highgpu-8g", "ephemeralStorageLocalSsdConfig": {"localSsdCount": 4}}},
        "comes with 16 local SSDs",
    ),
    "300 Pods a node": ({"maxPodsConstraint": {"maxPodsPerNode": "300"}}, "must be from 8 to 256, got 300"),
    "more nodes than the Pods range has room for": ({"initialNodeCount": 200}, "has room for 127 more nodes"),
    "a zone of another region": ({"locations": ["us-east4-a"]}, "is not in the cluster's region"),
    "a version newer than the control plane": ({"version": "1.36"}, "must not have a greater version"),
    "a version that its channel does not offer": ({"version": "1.35.6-gke.999"}, "is unsupported"),
    "a network that is not there": (
        {"networkConfig": {"additionalNodeNetworkConfigs": [{"network": "no", "subnetwork": "no"}]}},
        'Network "no" does not exist',
    ),
    "the cluster's network again": (
        {"networkConfig": {"additionalNodeNetworkConfigs": [{"network": "net", "subnetwork": "nodes"}]}},
        "must be another network than the cluster's own",
    ),
    "a name of 41 characters": ({"name": "p" * 41}, "it has 41 characters"),
}


@pytest.mark.parametrize(("changes", "words"), BAD.values(), ids=BAD)
def test_gke_refuses(running: Gke, changes: dict[str, Any], words: str) -> None:
    refusal = running.refuse_pool(**changes)
    assert refusal.code == 400, refusal.message
    assert words in refusal.message
    assert len(running.get()["nodePools"]) == 1, "nothing is made"


GOOD: dict[str, dict[str, Any]] = {
    "n1 with T4": _gpu("n1-standard-8", "nvidia-tesla-t4", 2),
    "L4, the card left to GKE": {"config": {"machineType": "g2-standard-48"}},
    "A100 in partitions": _mig("2g.10gb"),
    "A100 shared in time": _shared("TIME_SHARING", 48, gpuPartitionSize="1g.5gb"),
    "H100 flex-start": FLEX,
    "H100 queued": QUEUED,
    "one H100 as spot": {"config": {"machineType": "a3-highgpu-1g", "spot": True}},
    "H200": {"config": {"machineType": "a3-ultragpu-8g", "spot": True}, "locations": [f"{REGION}-b"]},
    "B200": {**merged(FLEX, {"config": {"machineType": "a4-highgpu-8g"}}), "locations": [f"{REGION}-b"]},
    "queued TPUs": merged(QUEUED, {"config": {"machineType": "ct5lp-hightpu-1t"}}),
    "a TPU slice of four hosts": _tpu("ct5lp-hightpu-4t", "4x4", 4),
    "one TPU host": {"config": {"machineType": "ct6e-standard-8t"}, "locations": [f"{REGION}-b"]},
    "n4 with its own disk": {"config": {"machineType": "n4-standard-4"}},
    "totals": {"autoscaling": {"enabled": True, "totalMinNodeCount": 1, "totalMaxNodeCount": 4}},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_gke_takes(running: Gke, changes: dict[str, Any]) -> None:
    operation = running.add_pool("good", **changes)
    pool = running.pool("good")
    machines = running.view("machines")["machines"]
    running.nodes_ready()
    done = running.operation(operation)["status"]
    running.clusters.nodePools().delete(name=f"{CLUSTER}/nodePools/good").execute()
    running.view("machines")
    running.view("machines")
    assert pool["config"]["serviceAccount"] == NODES
    assert len(machines) == 1 + changes.get("initialNodeCount", 1)
    assert done == "DONE"


def test_who_may_not_act_as_the_account_makes_no_pool(running: Gke) -> None:
    crm = client(running.server, "cloudresourcemanager").projects()
    policy = crm.getIamPolicy(resource=PROJECT, body={}).execute()
    member = "user:ann@acme.com"
    policy["bindings"].append({"role": "roles/container.admin", "members": [member]})
    crm.setIamPolicy(resource=PROJECT, body={"policy": policy}).execute()
    token = running.server.identity.token(member)
    clusters = client(running.server, "container", token=token).projects().locations().clusters()
    refusal = refused(clusters.nodePools().create(parent=CLUSTER, body={"nodePool": pool_body("hers")}))
    assert refusal.code == 403
    assert "grant you the iam.serviceAccountUser role" in refusal.message


def test_more_networks_need_a_cluster_that_was_made_for_them(gke: Gke) -> None:
    gke.running()
    extra = {"additionalNodeNetworkConfigs": [{"network": "net", "subnetwork": "nodes"}]}
    refusal = gke.refuse_pool(networkConfig=extra)
    assert "it is enabled when the cluster is created" in refusal.message
