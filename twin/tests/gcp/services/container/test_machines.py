"""Nodes as GKE makes them: names, labels, taints, allocatable, devices."""

from __future__ import annotations

import re
from typing import Any

import pytest

from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import allocatable, naming, node_objects
from twin.gcp.services.container.operations.resource_names import Place
from twin.tests.gcp.api_servers import PROJECT, REGION
from twin.tests.gcp.services.container.scene import Gke

PLACE = Place(PROJECT, REGION, "demo", "gpu")
PREFIX = "cloud.google.com/gke-"


def _machine(config: dict[str, Any], **pool: Any) -> dict[str, Any]:
    return node_objects.template(PLACE, {}, _body(config, **pool), f"{REGION}-a", "group")


def _body(config: dict[str, Any], **pool: Any) -> dict[str, Any]:
    base = {"diskType": "pd-balanced", "diskSizeGb": 100, "imageType": "COS_CONTAINERD"}
    body = {"config": {**base, **config}, "maxPodsConstraint": {"maxPodsPerNode": "64"}, **pool}
    body["version"] = "1.35.7-gke.1222000"
    return body


def _gpu(machine: str, card: str, count: int, **more: Any) -> dict[str, Any]:
    driver = {"gpuDriverVersion": "LATEST"}
    accelerator = {
        "acceleratorType": card,
        "acceleratorCount": str(count),
        "gpuDriverInstallationConfig": driver,
    }
    return {"machineType": machine, "accelerators": [{**accelerator, **more}]}


def test_a_node_has_gkes_name_id_and_labels(running: Gke) -> None:
    (machine,) = running.view("machines")["machines"]
    assert re.fullmatch(r"gke-demo-first-[0-9a-f]{8}-[a-z0-9]{4}", machine["name"])
    assert machine["provider_id"] == f"gce://{PROJECT}/{REGION}-a/{machine['name']}"
    assert machine["kubelet_version"] == "v1.35.7-gke.1222000"
    labels = machine["labels"]
    assert labels[f"{PREFIX}nodepool"] == "first"
    assert labels[f"{PREFIX}provisioning"] == "standard"
    assert labels["cloud.google.com/machine-family"] == "e2"
    assert labels["topology.gke.io/zone"] == labels["topology.kubernetes.io/zone"] == f"{REGION}-a"
    assert labels["iam.gke.io/gke-metadata-server-enabled"] == "true"


TOPOLOGY = tuple(f"cloud.google.com/gce-topology-{level}" for level in ("block", "subblock", "host"))


@pytest.mark.parametrize(
    ("machine", "card"),
    [
        ("a3-highgpu-8g", "nvidia-h100-80gb"),
        ("a3-ultragpu-8g", "nvidia-h200-141gb"),
        ("a4-highgpu-8g", "nvidia-b200"),
    ],
)
def test_nodes_of_large_gpu_machines_state_their_place_in_the_network(machine: str, card: str) -> None:
    pool = _body(_gpu(machine, card, 8))
    nodes = [
        node_objects.describe(
            PLACE, {}, pool, zone=f"{REGION}-b", name=f"node-{number}", address="10.0.0.1", group="group"
        )["labels"]
        for number in range(8)
    ]
    values = [{node[label] for node in nodes} for label in TOPOLOGY]
    assert [len(value) for value in values] == [1, 2, 8], "one block of two subblocks, each node a host"


def test_nodes_of_other_machines_state_no_place_in_the_network() -> None:
    labels = _machine(_gpu("a2-highgpu-2g", "nvidia-tesla-a100", 2))["labels"]
    assert not set(TOPOLOGY) & set(labels)


def test_long_names_leave_room_for_a_nodes_own_letters() -> None:
    name = naming.group_name("c" * 40, "p" * 40, "us-central1-a", "seed")
    assert len(f"{name}-abcd") <= 63
    assert naming.group_name("c", "p", "us-central1-a", "one") != naming.group_name(
        "c", "p", "us-central1-a", "two"
    )


@pytest.mark.parametrize(
    ("config", "devices"),
    [
        (_gpu("a2-highgpu-2g", "nvidia-tesla-a100", 2), 2),
        (_gpu("a2-highgpu-2g", "nvidia-tesla-a100", 2, gpuPartitionSize="2g.10gb"), 6),
        (
            _gpu(
                "g2-standard-8",
                "nvidia-l4",
                1,
                gpuSharingConfig={"gpuSharingStrategy": "TIME_SHARING", "maxSharedClientsPerGpu": "4"},
            ),
            4,
        ),
    ],
)
def test_gpus_count_partitions_and_clients(config: dict[str, Any], devices: int) -> None:
    machine = _machine(config)
    assert machine["devices"] == {"nvidia.com/gpu": devices}
    assert machine["labels"][f"{PREFIX}accelerator"] == config["accelerators"][0]["acceleratorType"]
    assert machine["labels"][f"{PREFIX}gpu-driver-version"] == "latest"


def test_a_tpu_node_tells_its_slice() -> None:
    machine = _machine({"machineType": "ct5lp-hightpu-4t"}, placementPolicy={"tpuTopology": "4x4"})
    assert machine["devices"] == {"google.com/tpu": 4}
    assert machine["labels"][f"{PREFIX}tpu-accelerator"] == "tpu-v5-lite-podslice"
    assert machine["labels"][f"{PREFIX}tpu-topology"] == "4x4"
    assert machine["taints"] == [{"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"}]


def test_how_a_node_is_bought_is_a_label() -> None:
    spot = _machine({"machineType": "e2-standard-4", "spot": True})["labels"]
    assert (spot[f"{PREFIX}spot"], spot[f"{PREFIX}provisioning"]) == ("true", "spot")
    flex = _machine(
        {**_gpu("a3-highgpu-1g", "nvidia-h100-80gb", 1), "flexStart": True},
        queuedProvisioning={"enabled": True},
    )
    assert flex["labels"][f"{PREFIX}flex-start"] == flex["labels"][f"{PREFIX}queued"] == "true"


def test_allocatable_is_what_gkes_formulas_leave() -> None:
    machine = capacity.machine_type("e2-standard-4")
    assert machine is not None
    assert allocatable.cpu(machine) == (4000, 3920), "6 % of one core, 1 % of the next, 0.5 % of two"
    whole, left = allocatable.memory(machine)
    reserved = (whole - left) // 2**20
    assert reserved == 1000 + 800 + 800 + 23 + 100, "brackets of 4, 8, 16 GB, and the eviction threshold"
    small = capacity.machine_type("e2-medium")
    assert small is not None
    assert allocatable.cpu(small) == (2000, 940), "a shared core gives half"
    assert _machine({"machineType": "e2-standard-4"})["allocatable"]["pods"] == "64"
    disk, free = allocatable.storage({"diskSizeGb": 100})
    assert free < disk * 0.5, "half of a small disk is the system's"


def test_local_ssds_become_ephemeral_storage() -> None:
    config = {"machineType": "n2-standard-8", "ephemeralStorageLocalSsdConfig": {"localSsdCount": 2}}
    machine = _machine(config)
    assert int(machine["capacity"]["ephemeral-storage"].removesuffix("Ki")) > 700 * 2**20
