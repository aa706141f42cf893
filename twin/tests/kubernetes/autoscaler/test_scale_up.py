"""Pods that no node has room for make a group grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from twin.kubernetes.autoscaler.expander import PRIORITIES
from twin.kubernetes.autoscaler.flags import parse
from twin.kubernetes.autoscaler.groups import discover, managed
from twin.kubernetes.autoscaler.scale_up import ScaleUp, Scene
from twin.kubernetes.events import Recorder
from twin.kubernetes.pods import by_node
from twin.tests.kubernetes.builders import deployment, node, pod
from twin.tests.kubernetes.fakes import ROLE, FakeKube, FakeView, template

DISCOVERY = "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled"
L4 = template(
    "g6.xlarge", devices={"nvidia.com/gpu": 1}, labels={"k8s.amazonaws.com/accelerator": "nvidia-l4"}
)


class Trial:
    """The growing half over a fake cloud."""

    def __init__(self, *flags: str) -> None:
        self.view = FakeView()
        self.kube = FakeKube()
        self.flags = parse([DISCOVERY, *flags])
        self.priorities: dict[str, Any] | None = None
        self.now = 10_000.0
        self.nodes: dict[str, Any] = {}
        recorder = Recorder(self.kube, "cluster-autoscaler")  # pyright: ignore[reportArgumentType]
        self.up = ScaleUp(self.view, recorder, lambda _: self.priorities)

    def step(self, *pods: Any, seconds: float = 0.0, daemonsets: Sequence[Any] = ()) -> bool:
        self.now += seconds
        return self.up.step(
            Scene(
                pods=list(pods),
                by_node=by_node(list(pods)),
                nodes=self.nodes,
                daemonsets=daemonsets,
                groups=managed(
                    discover(self.view.groups(), self.flags), self.view.machines(), self.nodes, 10
                ),
                deployment=deployment(),
                flags=self.flags,
                role=ROLE,
                now=self.now,
                clock_factor=10,
            )
        )

    def rank(self, text: str) -> None:
        self.priorities = {"metadata": {"name": PRIORITIES}, "data": {"priorities": text}}

    def desired(self, name: str) -> int:
        return self.view.known[f"eks-{name}"].desired

    def said(self, reason: str) -> list[str]:
        return [message for why, message in self.kube.events() if why == reason]


def gpu_pod(name: str = "train", **kind: Any) -> Any:
    return pod(name, requests={"nvidia.com/gpu": "1"}, **kind)


def test_a_pending_gpu_pod_makes_its_group_grow_from_zero() -> None:
    trial = Trial()
    trial.view.add_group("l4", L4, 0, 4, 0)
    assert trial.step(gpu_pod())
    assert trial.view.calls == [("set_desired", "eks-l4", 1, ROLE)]
    assert trial.said("TriggeredScaleUp") == ["pod triggered scale-up: [{eks-l4 0->1 (max: 4)}]"]


def test_a_node_that_is_on_its_way_is_waited_for() -> None:
    trial = Trial()
    trial.view.add_group("l4", L4, 0, 4, 0)
    trial.step(gpu_pod())
    assert not trial.step(gpu_pod(), seconds=10)
    assert trial.desired("l4") == 1
    (name,) = trial.view.running
    trial.nodes[name] = node(name, labels=dict(L4.labels))
    assert not trial.step(gpu_pod(), seconds=10), "Ready without its GPU it still counts as coming"
    trial.nodes[name] = node(name, labels=dict(L4.labels), resources={"nvidia.com/gpu": "1"})
    assert not trial.step(gpu_pod(), seconds=10), "and now the scheduler has a place for the Pod"
    assert trial.step(gpu_pod(), gpu_pod("second"), seconds=10), "a second Pod needs a second node"


def test_a_node_that_is_ready_and_still_has_its_first_taint_is_waited_for() -> None:
    trial = Trial()
    trial.view.add_group("l4", L4, 0, 4, 0)
    trial.step(gpu_pod())
    (name,) = trial.view.running
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    gpu = {"nvidia.com/gpu": "1"}
    trial.nodes[name] = node(name, labels=dict(L4.labels), resources=gpu, taints=[taint])
    assert not trial.step(gpu_pod(), seconds=10), "the taint goes by itself, as upstream's autoscaler knows"
    assert trial.desired("l4") == 1


def test_it_asks_for_as_many_as_are_needed_and_the_maximum_allows() -> None:
    trial = Trial()
    trial.view.add_group("l4", L4, 0, 3, 0)
    pods = [gpu_pod(f"p{n}") for n in range(5)]
    assert trial.step(*pods)
    assert trial.desired("l4") == 3
    assert not trial.step(*pods, seconds=10)
    assert (
        trial.said("NotTriggerScaleUp") == ["pod didn't trigger scale-up: 1 max node group size reached"] * 2
    )


def test_a_pod_that_fits_nowhere_is_told_why() -> None:
    trial = Trial()
    trial.view.add_group("l4", L4, 0, 4, 0)
    trial.view.add_group("cpu", template(), 0, 4, 0)
    wants = pod(requests={"nvidia.com/gpu": "8"})
    assert not trial.step(wants)
    assert trial.said("NotTriggerScaleUp") == ["pod didn't trigger scale-up: 2 Insufficient nvidia.com/gpu"]


def test_pods_that_are_young_expendable_or_only_pending_are_left_alone() -> None:
    trial = Trial("--new-pod-scale-up-delay=20m")
    trial.view.add_group("l4", L4, 0, 4, 0)
    assert not trial.step(gpu_pod(age=60))
    assert trial.step(gpu_pod(age=180)), "180 s are half an hour of the twin's"
    assert not Trial().step(gpu_pod(priority=-11))
    unscheduled = gpu_pod()
    unscheduled["status"]["conditions"] = []
    assert not trial.step(unscheduled)


def test_the_priority_expander_takes_the_highest_and_capacity_errors_lead_to_the_next() -> None:
    trial = Trial("--expander=priority", "--initial-node-group-backoff-duration=5m")
    for name in ("reserved", "spot", "demand"):
        trial.view.add_group(name, L4, 0, 4, 0)
    trial.rank("30: ['^eks-reserved$']\n20: ['^eks-spot$']\n10: ['.*']\n")
    trial.view.scarce = {"eks-reserved", "eks-spot"}
    assert not trial.step(gpu_pod())
    assert not trial.step(gpu_pod(), seconds=10)
    assert trial.step(gpu_pod(), seconds=10)
    assert [call[1] for call in trial.view.calls] == ["eks-reserved", "eks-spot", "eks-demand"]
    assert "the cloud has no capacity" in trial.said("FailedToScaleUpGroup")[0]


def test_a_failed_group_is_tried_again_after_its_backoff_which_doubles() -> None:
    trial = Trial("--initial-node-group-backoff-duration=5m", "--max-node-group-backoff-duration=15m")
    trial.view.add_group("l4", L4, 0, 4, 0)
    trial.view.scarce = {"eks-l4"}
    trial.step(gpu_pod())
    trial.step(gpu_pod(), seconds=200)
    assert len(trial.view.calls) == 1
    assert trial.said("NotTriggerScaleUp") == [
        "pod didn't trigger scale-up: 1 in backoff after failed scale-up"
    ]
    trial.step(gpu_pod(), seconds=101)
    assert len(trial.view.calls) == 2
    trial.step(gpu_pod(), seconds=301)
    assert len(trial.view.calls) == 2, "the second wait is ten minutes"
    trial.view.scarce = set()
    assert trial.step(gpu_pod(), seconds=300)


def test_a_role_that_may_not_is_an_event_that_names_it() -> None:
    trial = Trial()
    trial.view.add_group("l4", L4, 0, 4, 0)
    trial.view.denied = {ROLE}
    assert not trial.step(gpu_pod())
    (message,) = trial.said("FailedToScaleUpGroup")
    assert f"AccessDenied for role {ROLE}" in message
    assert "autoscaling:SetDesiredCapacity" in message


def test_without_its_configmap_the_priority_expander_passes_all_groups_to_the_next() -> None:
    big = template("g6.12xlarge", cpu=48, memory="192Gi", devices={"nvidia.com/gpu": 4})
    trial = Trial("--expander=priority,least-waste")
    trial.view.add_group("big", big, 0, 4, 0)
    trial.view.add_group("small", L4, 0, 4, 0)
    assert trial.step(pod("p", requests={"nvidia.com/gpu": "1", "cpu": "3"}))
    assert trial.view.calls[0][1] == "eks-small", "the one that wastes less, and not the first by name"
    assert not trial.said("PriorityConfigMapInvalid"), "there is no object to say it of"


@pytest.mark.parametrize("text", ["", "a: [x]", "10: x", "10: ['(']", "- x", "10: ["])
def test_priorities_that_cannot_be_read_are_said_and_filter_nothing(text: str) -> None:
    trial = Trial("--expander=priority,least-waste")
    trial.view.add_group("l4", L4, 0, 4, 0)
    trial.rank(text)
    assert trial.step(gpu_pod())
    assert trial.said("PriorityConfigMapInvalid")


def test_least_waste_takes_the_smaller_machine_and_most_pods_the_one_that_helps_more() -> None:
    big = template("g6.12xlarge", cpu=48, memory="192Gi", devices={"nvidia.com/gpu": 4})
    for flag, expected in (("least-waste", "small"), ("least-nodes", "big"), ("most-pods", "big")):
        trial = Trial(f"--expander={flag}")
        trial.view.add_group("big", big, 0, 4, 0)
        trial.view.add_group("small", L4, 0, 2, 0)
        wants = [pod(f"p{n}", requests={"nvidia.com/gpu": "1", "cpu": "3"}) for n in range(3)]
        trial.step(*(wants[:1] if flag == "least-waste" else wants))
        assert trial.view.calls[0][1] == f"eks-{expected}", flag


def test_similar_groups_are_balanced_where_asked_for() -> None:
    trial = Trial("--balance-similar-node-groups")
    for zone in "ab":
        labels = {**L4.labels, "topology.kubernetes.io/zone": f"us-west-2{zone}"}
        trial.view.add_group(zone, template(devices={"nvidia.com/gpu": 1}, labels=labels), 0, 4, 0)
    trial.step(*(gpu_pod(f"p{n}") for n in range(4)))
    assert (trial.desired("a"), trial.desired("b")) == (2, 2)


def test_max_nodes_total_holds() -> None:
    trial = Trial("--max-nodes-total=3")
    trial.view.add_group("l4", L4, 0, 8, 0)
    trial.nodes = {"other": node("other")}
    trial.step(*(gpu_pod(f"p{n}") for n in range(5)))
    assert trial.desired("l4") == 2


def test_a_node_that_never_comes_backs_its_group_off() -> None:
    trial = Trial("--max-node-provision-time=15m")
    trial.view.add_group("l4", L4, 0, 1, 0)
    trial.view.add_group("other", L4, 0, 4, 0)
    trial.step(gpu_pod())
    assert trial.desired("l4") == 1
    assert not trial.step(gpu_pod(), seconds=600)
    assert trial.step(gpu_pod(), seconds=400), "after 15 minutes the next group is tried"
    assert trial.desired("other") == 1
    assert "failed to register" in trial.said("ScaleUpTimedOut")[0]
