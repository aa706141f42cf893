"""GKE's own autoscaler, and the ProvisioningRequests that it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from twin.kubernetes.autoscaler import BuiltInAutoscaler
from twin.kubernetes.autoscaler.provisioning import CLASS, conditions, holds
from twin.kubernetes.cloud_interface import Group, InsufficientCapacity, Taint
from twin.kubernetes.time_scale import Clock
from twin.tests.kubernetes.builders import node, pod
from twin.tests.kubernetes.fakes import FakeKube, FakeMirror, FakeView, template

GPU = Taint("nvidia.com/gpu", "NoSchedule", "present")
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
REQUESTS = "/apis/autoscaling.x-k8s.io/v1/provisioningrequests"
TRAIN = "/apis/autoscaling.x-k8s.io/v1/namespaces/default/provisioningrequests/train"


@dataclass
class SelfScaling(FakeView):
    """A cloud with a built-in autoscaler."""

    profile: str = "BALANCED"
    grown: list[tuple[str, dict[str, int]]] = field(default_factory=list[tuple[str, dict[str, int]]])

    def autoscaling_profile(self) -> str:
        return self.profile

    def grow_for(self, request: str, sizes: Mapping[str, int]) -> None:
        if set(sizes) & self.scarce:
            raise InsufficientCapacity("GCE_STOCKOUT")
        self.grown.append((request, dict(sizes)))
        for name, count in sizes.items():
            self.set_desired(name, count, role="")

    def add_pool(self, pool: str, zones: str = "a", *, low: int = 0, high: int = 4, **changes: Any) -> None:
        """A node pool: a group a zone."""
        for zone in zones:
            machine = template(
                "g2-standard-8",
                cpu=8,
                memory="32Gi",
                devices={"nvidia.com/gpu": 1},
                taints=[GPU],
                labels={
                    "cloud.google.com/gke-nodepool": pool,
                    "topology.kubernetes.io/zone": zone,
                    "topology.gke.io/zone": zone,
                },
            )
            name = f"gke-{pool}-{zone}-grp"
            group = Group(name, low, high, 0, replace(machine, group=name), {}, pool, built_in=True)
            self.known[name] = replace(group, exact_template=True, **changes)


class Mirror(FakeMirror):
    """That of the controller, as far as the autoscaler goes."""

    def wake(self) -> None:
        """No thread waits."""


class Trial:
    """The autoscaler over a fake cloud whose machines become Ready nodes at once."""

    def __init__(self) -> None:
        self.view = SelfScaling()
        self.kube = FakeKube()
        self.kube.objects[REQUESTS] = {"items": []}
        self.mirror = Mirror()
        autoscaler: Any = BuiltInAutoscaler
        self.scaler = autoscaler(self.view, self.kube, self.mirror, Clock(1e6))

    def step(self, *pods: Any) -> None:
        self.mirror.collections["pods"] = list(pods)
        nodes = {
            name: node(
                name, labels=machine.labels, resources={"nvidia.com/gpu": "1", "cpu": "8", "memory": "32Gi"}
            )
            for name, machine in self.view.running.items()
        }
        self.scaler.step(self.view.groups(), self.view.machines(), nodes)

    def sizes(self, pool: str) -> list[int]:
        return [group.desired for group in self.view.known.values() if group.node_group == pool]

    def ask(self, count: int, **template_spec: Any) -> None:
        """A ProvisioningRequest for so many Pods of one GPU."""
        spec = pod(requests={"nvidia.com/gpu": "1"}, **{"tolerations": [TOLERATION], **template_spec})["spec"]
        self.kube.objects["/api/v1/namespaces/default/podtemplates/train"] = {
            "metadata": {"name": "train", "namespace": "default"},
            "template": {"metadata": {}, "spec": spec},
        }
        request: dict[str, Any] = {
            "metadata": {"name": "train", "namespace": "default", "uid": "r"},
            "spec": {
                "provisioningClassName": CLASS,
                "podSets": [{"count": count, "podTemplateRef": {"name": "train"}}],
            },
        }
        self.kube.objects[TRAIN] = request
        self.kube.objects[REQUESTS] = {"items": [request]}

    def request(self) -> dict[str, Any]:
        request = self.kube.objects[TRAIN]
        self.kube.objects[REQUESTS] = {"items": [request]}
        return request


def _wants(name: str = "p", **kind: Any) -> Any:
    return pod(name, requests={"nvidia.com/gpu": "1"}, tolerations=[TOLERATION], **kind)


def test_a_pod_without_room_grows_a_pool_from_nothing_and_with_nothing_installed() -> None:
    trial = Trial()
    trial.view.add_pool("gpu")
    trial.step(_wants())
    assert trial.sizes("gpu") == [1]
    assert [why for why, _ in trial.kube.events()] == ["ScaledUpGroup", "TriggeredScaleUp"]


def test_a_pool_whose_autoscaling_is_off_stays_as_it_is() -> None:
    trial = Trial()
    trial.view.add_pool("gpu", built_in=False)
    trial.step(_wants())
    assert trial.sizes("gpu") == [0]


def test_a_pool_below_its_minimum_gets_no_nodes_until_pods_need_them() -> None:
    trial = Trial()
    trial.view.add_pool("each", "ab", low=2)
    trial.view.add_pool("all", "ab", total_minimum=3, total_maximum=4)
    trial.step()
    assert trial.sizes("each") == [0, 0], "GKE keeps to a minimum only when it removes nodes"
    assert trial.sizes("all") == [0, 0]


def test_balanced_pools_spread_and_others_do_not() -> None:
    trial = Trial()
    trial.view.add_pool("gpu", "abc", location_policy="BALANCED")
    trial.step(*[_wants(f"p{number}") for number in range(3)])
    assert trial.sizes("gpu") == [1, 1, 1]
    trial = Trial()
    trial.view.add_pool("gpu", "abc", location_policy="ANY")
    trial.step(*[_wants(f"p{number}") for number in range(3)])
    assert sorted(trial.sizes("gpu")) == [0, 0, 3]


def test_the_total_maximum_holds_over_all_zones() -> None:
    trial = Trial()
    trial.view.add_pool("gpu", "ab", total_maximum=2, location_policy="ANY")
    trial.step(*[_wants(f"p{number}") for number in range(4)])
    trial.step(*[_wants(f"p{number}") for number in range(4)])
    assert sum(trial.sizes("gpu")) == 2
    assert any("max node group size reached" in words for _, words in trial.kube.events())


def test_an_empty_node_goes_after_a_while_but_for_the_total_minimum() -> None:
    trial = Trial()
    trial.view.profile = "OPTIMIZE_UTILIZATION"
    trial.view.add_pool("gpu", "ab", total_minimum=1, total_maximum=4)
    for name in list(trial.view.known):
        trial.view.set_desired(name, 1, role="")
    for machine in trial.view.running.values():
        trial.kube.objects[f"/api/v1/nodes/{machine.name}"] = node(machine.name)
    for _ in range(3):
        trial.step()
    assert sum(trial.sizes("gpu")) == 1


def test_a_queued_pool_grows_for_no_pod() -> None:
    trial = Trial()
    trial.view.add_pool("queued", queued=True)
    trial.step(_wants())
    assert trial.sizes("queued") == [0]


def test_a_request_is_accepted_then_provisioned_and_grows_the_pool_at_once() -> None:
    trial = Trial()
    trial.view.add_pool("queued", queued=True)
    trial.ask(3)
    waiting = _wants()
    waiting["metadata"]["annotations"] = {"autoscaling.x-k8s.io/consume-provisioning-request": "train"}
    trial.step(waiting)
    assert trial.view.grown == [("train", {"gke-queued-a-grp": 3})]
    assert holds(trial.request(), "Accepted")
    assert not holds(trial.request(), "Provisioned")
    trial.step(waiting)
    assert holds(trial.request(), "Provisioned")
    assert trial.sizes("queued") == [3], "its machines wait for their Pods"


def test_a_request_waits_for_capacity_and_takes_nothing_in_part() -> None:
    trial = Trial()
    trial.view.add_pool("queued", queued=True)
    trial.view.scarce.add("gke-queued-a-grp")
    trial.ask(2)
    trial.step()
    assert holds(trial.request(), "Accepted")
    assert conditions(trial.request())["Provisioned"]["reason"] == "Queued"
    assert trial.sizes("queued") == [0]
    trial.view.scarce.clear()
    trial.step()
    trial.step()
    assert holds(trial.request(), "Provisioned")


def test_a_request_that_no_pool_could_take_fails_with_the_reason() -> None:
    trial = Trial()
    trial.view.add_pool("queued", queued=True)
    trial.ask(9)
    trial.step()
    assert "4 of 9 Pods fit under its maximum" in conditions(trial.request())["Failed"]["message"]
    trial.ask(1, tolerations=[])
    trial.step()
    assert "untolerated taint {nvidia.com/gpu: present}" in conditions(trial.request())["Failed"]["message"]


def test_a_request_for_more_than_seven_days_fails() -> None:
    trial = Trial()
    trial.view.add_pool("queued", queued=True)
    trial.ask(1)
    trial.kube.objects[TRAIN]["spec"]["parameters"] = {"maxRunDurationSeconds": "604801"}
    trial.step()
    assert "must be from 1 to 604800" in conditions(trial.request())["Failed"]["message"]
