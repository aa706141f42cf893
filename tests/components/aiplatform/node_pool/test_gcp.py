"""A node pool on Google Cloud: resources and refused arguments."""

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.node_pool import NodePool
from tests.components.aiplatform.pools import GOOGLE_CLUSTER, GOOGLE_NETWORK, Answers, machine_types
from tests.components.recording import Recording, record

NODE_POOL = "gcp:container/nodePool:NodePool"
CLASS = "kubernetes:cloud.google.com/v1:ComputeClass"


def pool(answers: Answers | None = None, **more: Any) -> Recording:
    arguments: Any = {
        "prefix": "acme-dev",
        "name": "general",
        "cluster": GOOGLE_CLUSTER,
        "network": GOOGLE_NETWORK,
        "instance_types": ["n2-standard-8"],
        **more,
    }
    return record(lambda: NodePool("cpu", arguments), answers=answers or machine_types())


def one(answers: Answers | None = None, **more: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        pool(answers, **more)
    (problem,) = caught.value.problems
    return str(problem).removeprefix("NodePoolArgs.")


def test_a_pool_with_one_type_of_capacity_is_open_to_all_pods() -> None:
    recorded = pool(min=3, max=9, labels={"team": "data"})
    assert recorded.names() == ["aiplatform:index:NodePool cpu", f"{NODE_POOL} cpu-on-demand"]
    node_pool = recorded.one(NODE_POOL).inputs
    assert node_pool["autoscaling"] == {
        "totalMinNodeCount": 3,
        "totalMaxNodeCount": 9,
        "locationPolicy": "BALANCED",
    }
    assert node_pool["initialNodeCount"] == 1
    assert node_pool["upgradeSettings"] == {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0}
    node = node_pool["nodeConfig"]
    assert node["labels"] == {
        "team": "data",
        "ai-platform/pool": "general",
        "ai-platform/capacity": "on_demand",
    }
    assert node["taints"] == []
    assert (node["machineType"], node["diskType"], node["diskSizeGb"]) == ("n2-standard-8", "pd-balanced", 80)
    assert "spot" not in node
    assert recorded.result.outputs["node_selector"] == {"ai-platform/pool": "general"}


def test_a_pool_with_a_version_is_not_upgraded_by_gke() -> None:
    recorded = pool(capacity=["spot", "on_demand"], image_version="1.35.6-gke.1250000")
    for node_pool in recorded.all(NODE_POOL):
        assert node_pool.inputs["version"] == "1.35.6-gke.1250000"
        assert node_pool.inputs["management"]["autoUpgrade"] is True, "a release channel refuses false"
        assert node_pool.inputs["maintenancePolicies"] == [
            {"exclusionUntilEndOfSupports": [{"enabled": True}]}
        ], "or GKE would upgrade it, and the next update would want to go back"
    unpinned = pool().one(NODE_POOL).inputs
    assert not {"version", "maintenancePolicies"} & unpinned.keys()
    problem = one(image_version="1.35")
    assert problem.startswith("image_version: got '1.35'; expected a version of GKE")


def test_two_types_of_capacity_are_ordered_by_a_compute_class() -> None:
    recorded = pool(capacity=["spot", "on_demand"])
    names = {resource.name: resource.state["name"] for resource in recorded.all(NODE_POOL)}
    assert recorded.one(CLASS).inputs["spec"]["priorities"] == [
        {"nodepools": [names["cpu-spot"]]},
        {"nodepools": [names["cpu-on-demand"]]},
    ]
    spot = recorded.one(NODE_POOL, "cpu-spot").inputs
    assert spot["nodeConfig"]["spot"] is True
    assert spot["autoscaling"]["locationPolicy"] == "ANY"
    assert spot["nodeConfig"]["labels"]["cloud.google.com/compute-class"] == "general"
    assert recorded.result.outputs["compute_class"] == "general"


@pytest.mark.parametrize(
    ("machine_type", "disk", "architecture"),
    [
        ("n4-standard-8", "hyperdisk-balanced", "x86_64"),
        ("c4n-standard-8", "hyperdisk-balanced", "x86_64"),
        ("m5-megamem-64", "hyperdisk-balanced", "x86_64"),
        ("c3d-standard-8", "pd-balanced", "x86_64"),
        ("n1-custom-4-8192", "pd-balanced", "x86_64"),
        ("c4a-standard-8", "hyperdisk-balanced", "arm64"),
        ("e2-custom-4-8192", "pd-balanced", "x86_64"),
    ],
)
def test_a_machine_has_a_boot_disk_that_it_supports(machine_type: str, disk: str, architecture: str) -> None:
    recorded = pool(instance_types=[machine_type])
    assert recorded.one(NODE_POOL).inputs["nodeConfig"]["diskType"] == disk
    assert recorded.result.outputs["architecture"] == architecture
    tolerated = [taint["key"] for taint in recorded.result.outputs["taints"]]
    assert tolerated == (["kubernetes.io/arch"] if architecture == "arm64" else [])


def test_a_pool_is_in_the_zones_that_offer_its_machine_type() -> None:
    offered = machine_types(n2_standard_8=("europe-west4-b",))
    assert pool(offered).one(NODE_POOL).inputs["nodeLocations"] == ["europe-west4-b"]
    assert one(offered, zones=["europe-west4-a"]) == (
        "zones[0]: got 'europe-west4-a', which does not offer n2-standard-8; zones that do: europe-west4-b"
    )
    assert one(machine_types(n2_standard_8=())).startswith(
        "network.zones: no zone of the network offers n2-standard-8"
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"instance_types": ["g2-standard-4"]},
            "which has L4 cards; expected a type without accelerators, or a GPU pool",
        ),
        ({"instance_types": ["ct6e-standard-4t"]}, "which has TPU v6e chips"),
        (
            {"instance_types": ["c4d-standard-8-lssd"]},
            "which has local SSDs, so that the provider would replace the node pool at every update; "
            "expected a type without local SSDs such as c4d-standard-8",
        ),
        ({"instance_types": ["z3-highmem-8-highlssd"]}, "which has local SSDs"),
        ({"instance_types": ["z4d-highmem-16"]}, "which has local SSDs"),
        ({"instance_types": ["m7i.2xlarge"]}, "expected a machine type such as n2-standard-8"),
        ({"instance_types": ["n2-standard-8", "n2-standard-16"]}, "a node pool of GKE has one machine type"),
        ({"image": "bottlerocket"}, "which Google Cloud does not support"),
        ({"zones": ["usw2-az1"]}, "expected a zone of europe-west4 such as europe-west4-a"),
        ({"tags": {"Owner": "me"}}, "lower-case"),
        ({"capacity": ["spot", "on_demand"], "name": "gke-pool"}, "begins with neither 'gke'"),
        (
            {"taints": [{"key": "cloud.google.com/compute-class", "effect": "NoSchedule"}]},
            "is reserved for GKE",
        ),
    ],
)
def test_an_argument_that_gke_refuses_is_refused_before_anything_is_registered(
    more: dict[str, Any], words: str
) -> None:
    assert words in one(**more)
