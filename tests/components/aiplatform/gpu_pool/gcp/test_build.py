"""The resources of a GPU pool on Google Cloud."""

from typing import Any

import grpc
import pytest
from pulumi_gcp import compute

from aiplatform.gpu_pool import GpuPool
from tests.components.aiplatform.pools import GOOGLE_CLUSTER, GOOGLE_NETWORK, Answers, machine_types
from tests.components.recording import Recording, Registered, record

NODE_POOL = "gcp:container/nodePool:NodePool"
CLASS = "kubernetes:cloud.google.com/v1:ComputeClass"
NETWORK = "kubernetes:networking.gke.io/v1:Network"
PARAMETERS = "kubernetes:networking.gke.io/v1:GKENetworkParamSet"


def pool(answers: Answers | None = None, **more: Any) -> Recording:
    arguments: Any = {
        "prefix": "acme-dev",
        "name": "train",
        "cluster": GOOGLE_CLUSTER,
        "network": GOOGLE_NETWORK,
        "accelerator": "l4",
        "count": 1,
        **more,
    }
    return record(lambda: GpuPool("gpu", arguments), answers=answers or machine_types())


def only(recorded: Recording) -> Registered:
    return recorded.one(NODE_POOL)


def config(recorded: Recording, name: str | None = None) -> dict[str, Any]:
    return recorded.one(NODE_POOL, name).inputs["nodeConfig"]


@pytest.fixture(scope="module")
def rdma() -> Recording:
    entries = [
        {"type": "reserved", "reservation_id": "calendar", "zone": "europe-west4-a"},
        {"type": "spot"},
        {"type": "flex_start", "max_run_hours": 24},
        {"type": "queued"},
    ]
    return pool(accelerator="h200", count=8, capacity=entries, max=4)


def test_the_logical_names_are_a_contract() -> None:
    assert pool(capacity=[{"type": "spot"}, {"type": "on_demand"}]).names() == [
        "aiplatform:index:ComputeClass gpu-compute-class",
        "aiplatform:index:GpuPool gpu",
        f"{NODE_POOL} gpu-on-demand",
        f"{NODE_POOL} gpu-spot",
        f"{CLASS} gpu-compute-class-object",
    ]


def test_nodes_are_shielded_private_and_encrypted_and_run_as_the_clusters_account() -> None:
    recorded = pool()
    node = config(recorded)
    assert node["imageType"] == "COS_CONTAINERD"
    assert node["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
    assert node["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}, "no Pod reaches the node's account"
    assert node["serviceAccount"] == GOOGLE_CLUSTER["node_service_account"]
    assert node["bootDiskKmsKey"] == GOOGLE_CLUSTER["disk_kms_key"]
    assert node["gvnic"] == {"enabled": True}
    assert node["kubeletConfig"] == {"insecureKubeletReadonlyPortEnabled": "FALSE"}
    assert only(recorded).inputs["networkConfig"] == {"enablePrivateNodes": True}


def test_gke_installs_the_drivers() -> None:
    node = config(pool())
    assert node["guestAccelerators"] == [
        {
            "type": "nvidia-l4",
            "count": 1,
            "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
        }
    ]
    assert not [key for key in node["labels"] if "no-default" in key]


def test_pods_reach_the_pool_by_its_compute_class() -> None:
    recorded = pool(labels={"team": "research"}, taints=[{"key": "batch", "effect": "NoSchedule"}])
    node = config(recorded)
    assert node["labels"] == {
        "team": "research",
        "ai-platform/pool": "train",
        "ai-platform/capacity": "on_demand",
        "ai-platform/accelerator": "l4",
        "ai-platform/accelerator-count": "1",
        "cloud.google.com/compute-class": "train",
    }
    assert node["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"},
        {"key": "cloud.google.com/compute-class", "value": "train", "effect": "NO_SCHEDULE"},
        {"key": "batch", "value": "", "effect": "NO_SCHEDULE"},
    ], "GKE sets nvidia.com/gpu=present only where the cluster has a pool without GPUs already"
    assert [taint["key"] for taint in recorded.result.outputs["taints"]] == [
        "nvidia.com/gpu",
        "cloud.google.com/compute-class",
        "batch",
    ]


def test_the_size_is_controlled_by_gkes_autoscaler() -> None:
    resource = only(pool(min=2, max=6))
    assert resource.inputs["autoscaling"] == {
        "totalMinNodeCount": 2,
        "totalMaxNodeCount": 6,
        "locationPolicy": "ANY",
    }
    assert resource.inputs["initialNodeCount"] == 1, "one in each of three zones is at least two"
    assert resource.ignore_changes == ("initialNodeCount",)


@pytest.mark.parametrize(
    ("least", "most", "zones", "per_zone"),
    [(1, 2, 2, 1), (1, 1, 1, 1), (4, 5, 2, 2), (0, 1, 3, 0), (5, 5, 1, 5)],
)
def test_a_pool_begins_with_its_minimum_in_as_many_zones_as_its_maximum_allows(
    least: int, most: int, zones: int, per_zone: int
) -> None:
    resource = only(pool(min=least, max=most)).inputs
    assert (len(resource["nodeLocations"]), resource["initialNodeCount"]) == (zones, per_zone), (
        "GKE's autoscaler adds no nodes to reach a minimum"
    )


def test_each_type_of_capacity_is_set_as_gke_requires(rdma: Recording) -> None:
    reserved = rdma.one(NODE_POOL, "gpu-res-5152").inputs
    assert reserved["nodeConfig"]["reservationAffinity"] == {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": ["calendar"],
    }
    spot = rdma.one(NODE_POOL, "gpu-spot").inputs
    assert spot["nodeConfig"]["spot"] is True
    assert "reservationAffinity" not in spot["nodeConfig"]
    flex = rdma.one(NODE_POOL, "gpu-flex").inputs
    assert flex["nodeConfig"]["flexStart"] is True
    assert flex["nodeConfig"]["maxRunDuration"] == "86400s"
    assert flex["nodeConfig"]["reservationAffinity"] == {"consumeReservationType": "NO_RESERVATION"}
    assert flex["management"] == {"autoRepair": False, "autoUpgrade": True}
    assert "queuedProvisioning" not in flex
    assert "spot" not in flex["nodeConfig"]
    queued = rdma.one(NODE_POOL, "gpu-queued").inputs
    assert queued["queuedProvisioning"] == {"enabled": True}
    assert queued["nodeConfig"]["flexStart"] is True
    assert queued["autoscaling"]["totalMinNodeCount"] == 0
    assert queued["nodeConfig"]["maxRunDuration"] == "604800s", "seven days, set and not left to GKE"


def test_flex_start_pools_leave_the_upgrade_strategy_to_gke(rdma: Recording) -> None:
    for name in ("gpu-flex", "gpu-queued"):
        assert "upgradeSettings" not in rdma.one(NODE_POOL, name).inputs, (
            "GKE answers SHORT_LIVED whatever is asked: an upgrade strategy were a change at every update"
        )
    for name in ("gpu-spot", "gpu-res-5152"):
        settings = rdma.one(NODE_POOL, name).inputs["upgradeSettings"]
        assert settings == {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}


def test_the_compute_class_has_the_order_of_capacity_without_the_queue(rdma: Recording) -> None:
    names = {resource.name: resource.state["name"] for resource in rdma.all(NODE_POOL)}
    assert rdma.one(CLASS).inputs["spec"]["priorities"] == [
        {"nodepools": [names["gpu-res-5152"]]},
        {"nodepools": [names["gpu-spot"]]},
        {"nodepools": [names["gpu-flex"]]},
    ]
    queued = rdma.one(NODE_POOL, "gpu-queued").inputs["nodeConfig"]
    assert "cloud.google.com/compute-class" not in queued["labels"]
    assert [taint["key"] for taint in queued["taints"]] == ["nvidia.com/gpu"]


def test_a_pool_with_queued_capacity_only_has_no_compute_class() -> None:
    recorded = pool(capacity=[{"type": "queued"}])
    assert not recorded.all(CLASS)
    assert recorded.result.outputs["compute_class"] is None
    assert recorded.result.outputs["node_selector"] == {
        "ai-platform/pool": "train",
        "ai-platform/capacity": "queued",
    }


def test_rdma_has_a_vpc_for_the_host_and_one_of_eight_subnets_by_the_zones_profile(rdma: Recording) -> None:
    host, gpus = rdma.all("gcp:compute/network:Network")
    assert host.name == "gpu-gvnic-1"
    assert host.inputs["mtu"] == 8896
    assert gpus.name == "gpu-rdma"
    assert gpus.inputs["networkProfile"] == (
        "projects/acme-dev-1234/global/networkProfiles/europe-west4-a-vpc-roce"
    )
    assert gpus.inputs["mtu"] == 8896
    assert len(rdma.all("gcp:compute/subnetwork:Subnetwork")) == 9
    assert [resource.name for resource in rdma.all("gcp:compute/firewall:Firewall")] == ["gpu-gvnic-1-inside"]
    modes = [resource.inputs["spec"]["deviceMode"] for resource in rdma.all(PARAMETERS)]
    assert modes == ["NetDevice", *["RDMA"] * 8]


def test_the_default_range_of_gpudirect_depends_on_the_pools_name_only(rdma: Recording) -> None:
    subnets = [resource.inputs["ipCidrRange"] for resource in rdma.all("gcp:compute/subnetwork:Subnetwork")]
    assert subnets == [f"192.168.{16 + index}.0/24" for index in range(9)]
    other = pool(name="inference", accelerator="h200", count=8, capacity=[{"type": "spot"}])
    others = {resource.inputs["ipCidrRange"] for resource in other.all("gcp:compute/subnetwork:Subnetwork")}
    assert not others & set(subnets), "GKE wants the ranges of a cluster's Pod networks apart"
    message = pool(accelerator="h200", count=8, capacity=[{"type": "spot"}], gpudirect_cidr="172.20.0.0/16")
    first = message.all("gcp:compute/subnetwork:Subnetwork")[0]
    assert first.inputs["ipCidrRange"] == "172.20.0.0/20"
    (inside,) = message.all("gcp:compute/firewall:Firewall")
    assert inside.inputs["sourceRanges"] == ["172.20.0.0/16"]


def test_a_node_pool_has_all_interfaces_and_depends_on_their_kubernetes_objects(rdma: Recording) -> None:
    for resource in rdma.all(NODE_POOL):
        assert len(resource.inputs["networkConfig"]["additionalNodeNetworkConfigs"]) == 9
        assert resource.inputs["nodeLocations"] == ["europe-west4-a"]
        assert all(rdma.depends(resource, network) for network in rdma.all(NETWORK))
    assert rdma.result.outputs["network_interfaces"][:2] == ["train-gvnic-1", "train-rdma-0"]
    parameters = rdma.one(PARAMETERS, "gpu-rdma-0-parameters").inputs
    network = rdma.one(NETWORK, "gpu-rdma-0-network").inputs
    assert network["spec"]["parametersRef"]["name"] == parameters["metadata"]["name"] == "train-rdma-0"


@pytest.mark.parametrize(("card", "count", "mtu"), [("h100-mega", 8, 8244), ("h100", 4, 8244)])
def test_tcpx_has_a_vpc_for_each_network_card(card: str, count: int, mtu: int) -> None:
    recorded = pool(accelerator=card, count=8)
    networks = recorded.all("gcp:compute/network:Network")
    assert len(networks) == count
    assert {network.inputs["mtu"] for network in networks} == {mtu}
    assert len(recorded.all("gcp:compute/firewall:Firewall")) == count
    assert {resource.inputs["spec"]["deviceMode"] for resource in recorded.all(PARAMETERS)} == {"NetDevice"}


def test_compute_engine_resources_depend_on_the_network_that_enables_the_api() -> None:
    def program() -> Any:
        vpc = compute.Network("vpc", project="acme-dev-1234")
        arguments: Any = {
            "prefix": "acme-dev",
            "name": "train",
            "cluster": GOOGLE_CLUSTER,
            "network": {**GOOGLE_NETWORK, "vpc_id": vpc.id},
            "accelerator": "h100-mega",
            "count": 8,
            "capacity": [{"type": "spot"}],
        }
        return GpuPool("gpu", arguments)

    recorded = record(program, answers=machine_types())
    vpc = recorded.named("vpc")
    others = [resource for resource in recorded.all("gcp:compute/network:Network") if resource is not vpc]
    others.append(recorded.one("gcp:compute/resourcePolicy:ResourcePolicy"))
    assert len(others) == 9
    for other in others:
        assert recorded.depends(other, vpc), other.name


def test_spot_and_on_demand_nodes_with_gpudirect_are_placed_close_together(rdma: Recording) -> None:
    policy = rdma.one("gcp:compute/resourcePolicy:ResourcePolicy")
    assert policy.inputs["groupPlacementPolicy"] == {"collocation": "COLLOCATED"}
    placed = rdma.one(NODE_POOL, "gpu-spot").inputs["placementPolicy"]
    assert placed == {"type": "COMPACT", "policyName": policy.state["name"]}
    for name in ("gpu-res-5152", "gpu-flex", "gpu-queued"):
        assert "placementPolicy" not in rdma.one(NODE_POOL, name).inputs, "these place their nodes themselves"


def test_without_gpudirect_there_is_no_placement_policy() -> None:
    recorded = pool(accelerator="h200", count=8, capacity=[{"type": "spot"}], gpudirect=False)
    assert not recorded.all("gcp:compute/network:Network")
    assert len(only(recorded).inputs["nodeLocations"]) == 3


def test_local_ssds_exist_where_built_in_or_requested() -> None:
    built_in = config(pool(accelerator="a100-80", count=2))
    assert built_in["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 2}
    left = config(pool(accelerator="a100-80", count=2, instance_store="none"))
    assert left["localNvmeSsdBlockConfig"] == {"localSsdCount": 2}
    assert "ephemeralStorageLocalSsdConfig" not in left
    assert "ephemeralStorageLocalSsdConfig" not in config(pool()), "an L4 machine has none by itself"
    requests = config(pool(count=4, instance_store="raid0"))
    assert requests["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 4}


def test_sharing_uses_gkes_device_plugin() -> None:
    sliced = pool(accelerator="a100", count=2, sharing={"strategy": "mig", "profile": "2g.10gb"})
    assert config(sliced)["guestAccelerators"][0]["gpuPartitionSize"] == "2g.10gb"
    assert sliced.result.outputs["resources_per_node"] == 6
    shared = pool(sharing={"strategy": "time_slicing", "replicas": 4})
    assert config(shared)["guestAccelerators"][0]["gpuSharingConfig"] == {
        "gpuSharingStrategy": "TIME_SHARING",
        "maxSharedClientsPerGpu": 4,
    }
    assert shared.result.outputs["resources_per_node"] == 4


def test_t4_cards_are_attached_to_an_ordinary_machine() -> None:
    node = config(pool(accelerator="t4", count=2))
    assert node["machineType"] == "n1-standard-8"
    assert node["guestAccelerators"][0]["type"] == "nvidia-tesla-t4"
    chosen = config(pool(capacity=[{"type": "spot", "instance_types": ["g2-standard-16"]}]))
    assert chosen["machineType"] == "g2-standard-16"


def test_a_slice_of_one_node_is_the_machine_and_no_guest_accelerator() -> None:
    recorded = pool(accelerator="tpu-v6e", count=8)
    node = config(recorded)
    assert node["machineType"] == "ct6e-standard-8t"
    assert node["diskType"] == "hyperdisk-balanced", "v6e takes no persistent disk"
    assert "guestAccelerators" not in node
    assert "placementPolicy" not in only(recorded).inputs
    outputs = recorded.result.outputs
    assert (outputs["resource"], outputs["resources_per_node"]) == ("google.com/tpu", 8)
    assert outputs["topology"] == "2x4"
    assert outputs["node_selector"] == {
        "cloud.google.com/compute-class": "train",
        "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
        "cloud.google.com/gke-tpu-topology": "2x4",
    }


def test_a_slice_of_several_nodes_is_one_node_pool() -> None:
    recorded = pool(
        accelerator="tpu-v5e", count=4, topology="4x4", max=2, min=1, capacity=[{"type": "on_demand"}]
    )
    stays, comes = recorded.all(NODE_POOL)
    assert stays.inputs["placementPolicy"] == {"type": "COMPACT", "tpuTopology": "4x4"}
    assert stays.inputs["nodeCount"] == 4, "else a slice that was not there stays away when min is raised"
    assert "initialNodeCount" not in stays.inputs, "the provider refuses both"
    assert "autoscaling" not in stays.inputs
    assert comes.inputs["autoscaling"] == {"minNodeCount": 0, "maxNodeCount": 4, "locationPolicy": "ANY"}
    assert [len(item.inputs["nodeLocations"]) for item in (stays, comes)] == [1, 1]


def test_tags_are_labels_of_what_is_launched() -> None:
    assert config(pool(tags={"team": "research"}))["resourceLabels"] == {
        "team": "research",
        "ai-platform-pool": "train",
    }


class Refused(grpc.RpcError):
    """The engine's answer to a function that failed."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return self.words


def test_offerings_of_a_project_without_the_api_are_read_after_the_cluster() -> None:
    requests: list[str] = []

    def later(arguments: Any) -> Any:
        requests.append(arguments["zone"])
        if len(requests) == 1:
            raise Refused(
                "Error 403: Compute Engine API has not been used in project 123456789012 before or it is "
                "disabled., SERVICE_DISABLED"
            )
        return machine_types()["gcp:compute/getMachineTypes:getMachineTypes"](arguments)

    recorded = pool({"gcp:compute/getMachineTypes:getMachineTypes": later})
    assert len(only(recorded).inputs["nodeLocations"]) == 3
    assert len(requests) == 4, "once in vain, then each zone"


def test_machine_type_that_turns_out_to_be_missing_later_states_why_it_comes_so_late() -> None:
    requests: list[str] = []

    def later(arguments: Any) -> Any:
        requests.append(arguments["zone"])
        if len(requests) == 1:
            raise Refused("Error 403: Compute Engine API has not been used in project 1 before")
        return {"machineTypes": []}

    with pytest.raises(Exception, match=r"since the Compute Engine API was off when the update started"):
        pool({"gcp:compute/getMachineTypes:getMachineTypes": later})


def test_another_error_of_compute_engine_is_raised() -> None:
    def broken(_: Any) -> Any:
        raise Refused("Error 429: too many requests")

    with pytest.raises(Exception, match="429"):
        pool({"gcp:compute/getMachineTypes:getMachineTypes": broken})
