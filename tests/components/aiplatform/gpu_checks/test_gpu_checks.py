"""Where the tests of GPUs run."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.gpu_checks import GpuChecks
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

NAMESPACE = "kubernetes:core/v1:Namespace"
QUEUE = "kubernetes:kueue.x-k8s.io/v1beta2:LocalQueue"


def recorded(**more: Any) -> Recording:
    arguments: Any = {"queues": {"t4": "gpu-check-t4"}, **more}
    return record(lambda: GpuChecks("gpu-check", arguments))


def problems(**more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        recorded(**more)
    return [str(problem) for problem in caught.value.problems]


def test_it_is_documented() -> None:
    assert undocumented(GpuChecks) == []


def test_each_pool_has_a_queue_that_the_guardrails_admit() -> None:
    checks = recorded(queues={"t4": "gpu-check-t4", "h100": "gpu-check-h100"})
    queues = {queue.inputs["metadata"]["name"]: queue.inputs for queue in checks.all(QUEUE)}
    assert {name: queue["spec"]["clusterQueue"] for name, queue in queues.items()} == {
        "t4": "gpu-check-t4",
        "h100": "gpu-check-h100",
    }
    metadata = checks.one(NAMESPACE).inputs["metadata"]
    assert metadata["annotations"]["ai-platform/queues"] == "t4,h100"
    assert metadata["labels"]["kueue.x-k8s.io/managed-namespace"] == "true"


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        ({}, "restricted"),
        ({"cloud": "gcp"}, "baseline"),
        ({"cloud": "gcp", "fabric": ["t4"]}, "privileged"),
    ],
)
def test_level_is_the_lowest_that_the_tests_meet(arguments: dict[str, Any], level: str) -> None:
    labels = recorded(**arguments).one(NAMESPACE).inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == level


def test_no_member_of_a_team_reaches_its_queues() -> None:
    checks = recorded()
    assert not [resource for resource in checks.resources if "RoleBinding" in resource.type]
    assert [resource for resource in checks.resources if resource.type.endswith(":NetworkPolicy")]


def test_queues_are_deleted_while_kueue_runs() -> None:
    def program() -> None:
        kueue = pulumi.CustomResource("tests:index:Kueue", "kueue")
        arguments: Any = {"queues": {"t4": "gpu-check-t4"}}
        GpuChecks("gpu-check", arguments, pulumi.ResourceOptions(depends_on=[kueue]))

    checks = record(program)
    for kind in (QUEUE, NAMESPACE):
        assert checks.depends(checks.one(kind), checks.named("kueue")), "it removes their finalizers"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"queues": {}}, "GpuChecksArgs.queues: got {}, of length 0; expected 1 to 64 pools"),
        ({"queues": {"T4": "x"}}, "GpuChecksArgs.queues: got an object with 'T4'; expected names"),
        ({"fabric": ["t4"]}, "GpuChecksArgs.fabric: got ['t4'], which AWS does not support: Pods with EFA"),
        (
            {"cloud": "gcp", "fabric": ["h100"]},
            "GpuChecksArgs.fabric[0]: got 'h100'; expected a pool of `queues`",
        ),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], problem: str) -> None:
    assert problem in "\n".join(problems(**arguments))
