"""What a ComputeClass makes of its arguments, and what it refuses."""

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.compute_class import ComputeClass
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

GROUPS = [
    {"name": "train-spot", "capacity": "spot", "priority": 90},
    {"name": "train-res", "capacity": "reserved", "priority": 100},
    {"name": "train-slice-1", "capacity": "spot", "priority": 90},
]


def recorded(**more: Any) -> Recording:
    arguments: Any = {"name": "train", "cluster": GOOGLE_CLUSTER, "node_groups": GROUPS, **more}
    return record(lambda: ComputeClass("order", arguments))


def problems(**more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        recorded(**more)
    return [str(problem) for problem in caught.value.problems]


def test_it_is_documented() -> None:
    assert undocumented(ComputeClass) == []


def test_node_pools_are_tried_by_priority_and_equal_ones_together() -> None:
    inputs = recorded().one("kubernetes:cloud.google.com/v1:ComputeClass", "order-object").inputs
    assert inputs["metadata"] == {"name": "train"}
    assert inputs["spec"]["priorities"] == [
        {"nodepools": ["train-res"]},
        {"nodepools": ["train-spot", "train-slice-1"]},
    ]


def test_a_pod_of_the_class_waits_for_its_node_pools() -> None:
    spec = recorded().one("kubernetes:cloud.google.com/v1:ComputeClass").inputs["spec"]
    assert spec["whenUnsatisfiable"] == "DoNotScaleUp"
    assert spec["nodePoolAutoCreation"] == {"enabled": False}
    assert spec["activeMigration"] == {"optimizeRulePriority": False}, "moving restarts what trains for days"
    assert "autoscalingPolicy" not in spec


def test_a_class_can_move_pods_up_and_keep_idle_nodes() -> None:
    spec = (
        recorded(move_up=True, idle_minutes=30)
        .one("kubernetes:cloud.google.com/v1:ComputeClass")
        .inputs["spec"]
    )
    assert spec["activeMigration"] == {"optimizeRulePriority": True}
    assert spec["autoscalingPolicy"] == {"consolidationDelayMinutes": 30}


def test_a_compute_class_on_aws_is_refused_with_the_alternative() -> None:
    (problem,) = problems(cluster=CLUSTER)
    assert "AWS does not support this component" in problem
    assert "ClusterAutoscaler" in problem


@pytest.mark.parametrize("name", ["gke-train", "autopilot-x", "default", "Train"])
def test_a_name_reserved_for_gke_is_refused(name: str) -> None:
    (problem,) = problems(name=name)
    assert problem.startswith("ComputeClassArgs.name: got ")


def test_a_queued_node_pool_is_refused() -> None:
    message = problems(node_groups=[{"priority": 1, "capacity": "queued"}])
    assert message[0] == "ComputeClassArgs.node_groups[0].name: missing; expected the node pool's name"
    assert "ProvisioningRequest" in message[1]
