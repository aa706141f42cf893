"""What a ComputeClass makes of its arguments, and what it refuses."""

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, keys
from aiplatform.compute_class import ComputeClass, ComputeClassArgs
from aiplatform.compute_class.args import ComputeClassSettings
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

GROUPS = [
    {"name": "train-spot", "capacity": "spot", "priority": 90},
    {"name": "train-res", "capacity": "reserved", "priority": 100},
    {"name": "train-slice-1", "capacity": "spot", "priority": 90},
]


def made(**more: Any) -> Recording:
    arguments: Any = {"name": "train", "cluster": GOOGLE_CLUSTER, "node_groups": GROUPS, **more}
    return record(lambda: ComputeClass("order", arguments))


def problems(**more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        made(**more)
    return [str(problem) for problem in caught.value.problems]


def test_its_arguments_are_documented_and_complete() -> None:
    assert undocumented(ComputeClass) == []
    assert set(ComputeClassArgs.__annotations__) == keys(ComputeClassSettings)


def test_node_pools_are_tried_by_priority_and_equal_ones_together() -> None:
    inputs = made().one("kubernetes:cloud.google.com/v1:ComputeClass", "order-object").inputs
    assert inputs["metadata"] == {"name": "train"}
    assert inputs["spec"]["priorities"] == [
        {"nodepools": ["train-res"]},
        {"nodepools": ["train-spot", "train-slice-1"]},
    ]


def test_a_pod_of_the_class_waits_and_never_gets_another_machine() -> None:
    spec = made().one("kubernetes:cloud.google.com/v1:ComputeClass").inputs["spec"]
    assert spec["whenUnsatisfiable"] == "DoNotScaleUp"
    assert spec["nodePoolAutoCreation"] == {"enabled": False}
    assert spec["activeMigration"] == {"optimizeRulePriority": False}, "moving restarts what trains for days"
    assert "autoscalingPolicy" not in spec


def test_a_class_may_move_pods_up_and_keep_idle_nodes_for_a_while() -> None:
    spec = (
        made(move_up=True, idle_minutes=30).one("kubernetes:cloud.google.com/v1:ComputeClass").inputs["spec"]
    )
    assert spec["activeMigration"] == {"optimizeRulePriority": True}
    assert spec["autoscalingPolicy"] == {"consolidationDelayMinutes": 30}


def test_on_aws_it_is_refused_with_what_does_the_work_there() -> None:
    (problem,) = problems(cluster=CLUSTER)
    assert "AWS does not support this component" in problem
    assert "ClusterAutoscaler" in problem


@pytest.mark.parametrize("name", ["gke-train", "autopilot-x", "default", "Train"])
def test_a_name_that_gke_keeps_is_refused(name: str) -> None:
    (problem,) = problems(name=name)
    assert problem.startswith("ComputeClassArgs.name: got ")


def test_a_queue_is_no_part_of_a_class() -> None:
    message = problems(node_groups=[{"priority": 1, "capacity": "queued"}])
    assert message[0] == "ComputeClassArgs.node_groups[0].name: missing, expected the node pool's name"
    assert "ProvisioningRequest" in message[1]
