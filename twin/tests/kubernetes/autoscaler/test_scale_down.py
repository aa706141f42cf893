"""Empty nodes go, after their time."""

from __future__ import annotations

from typing import Any

from twin.kubernetes.autoscaler.flags import parse
from twin.kubernetes.autoscaler.groups import OPTIONS, discover, managed
from twin.kubernetes.autoscaler.scale_down import DELETED, DISABLED, ScaleDown
from twin.kubernetes.autoscaler.scale_up import NEVER, Scene
from twin.kubernetes.events import Recorder
from twin.kubernetes.pods import by_node
from twin.tests.kubernetes.builders import deployment, node, pod
from twin.tests.kubernetes.fakes import ROLE, FakeKube, FakeView, template

DISCOVERY = "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled"


class Trial:
    """The shrinking half over a fake cloud of two nodes."""

    def __init__(self, *flags: str, low: int = 0, tags: dict[str, str] | None = None) -> None:
        self.view = FakeView()
        self.view.add_group("l4", template(), low, 4, 2, **(tags or {}))
        self.kube = FakeKube()
        self.flags = parse([DISCOVERY, *flags])
        self.now = 10_000.0
        for name in self.view.running:
            self.kube.objects[f"/api/v1/nodes/{name}"] = node(name)
        recorder = Recorder(self.kube, "cluster-autoscaler")  # pyright: ignore[reportArgumentType]
        self.down = ScaleDown(self.view, self.kube, recorder)  # pyright: ignore[reportArgumentType]

    def step(self, *pods: Any, seconds: float = 0.0, grew: float = NEVER, failed: float = NEVER) -> int:
        """One loop; returns how many machines are left."""
        self.now += seconds
        nodes = self.kube.below("/api/v1/nodes")
        groups = managed(discover(self.view.groups(), self.flags), self.view.machines(), nodes, 10)
        self.down.step(
            Scene(
                pods=list(pods),
                by_node=by_node(list(pods)),
                nodes=nodes,
                daemonsets=[],
                groups=groups,
                deployment=deployment(),
                flags=self.flags,
                role=ROLE,
                now=self.now,
                clock_factor=10,
            ),
            grew=grew,
            failed=failed,
        )
        return len(self.view.running)


def test_an_empty_node_goes_after_its_unneeded_time_and_a_busy_one_stays() -> None:
    trial = Trial("--scale-down-unneeded-time=10m")
    busy, empty = list(trial.view.running)
    pods = [
        pod("train", node=busy, phase="Running"),
        pod("plugin", node=empty, phase="Running", owner="DaemonSet"),
        pod("done", node=empty, phase="Succeeded"),
    ]
    assert trial.step(*pods) == 2
    assert trial.step(*pods, seconds=599) == 2
    assert trial.step(*pods, seconds=1) == 1
    assert list(trial.view.running) == [busy]
    taints = trial.kube.objects[f"/api/v1/nodes/{empty}"]["spec"]["taints"]
    assert [taint["key"] for taint in taints] == [DELETED], "no Pod is scheduled there meanwhile"
    assert ("ScaleDown", "node removed by cluster autoscaler") in trial.kube.events()


def test_a_node_that_was_needed_in_between_begins_anew() -> None:
    trial = Trial("--scale-down-unneeded-time=10m")
    pods = [pod(f"p{n}", node=name, phase="Running") for n, name in enumerate(trial.view.running)]
    trial.step()
    trial.step(*pods, seconds=300)
    assert trial.step(seconds=400) == 2
    assert trial.step(seconds=600) == 0


def test_the_minimum_is_respected() -> None:
    trial = Trial("--scale-down-unneeded-time=0", low=1)
    trial.step()
    assert trial.step(seconds=10) == 1


def test_nothing_goes_while_it_cools_down_or_is_switched_off() -> None:
    trial = Trial("--scale-down-unneeded-time=1m", "--scale-down-delay-after-add=10m")
    grew = trial.now
    trial.step(grew=grew)
    assert trial.step(seconds=599, grew=grew) == 2
    assert trial.step(seconds=10, grew=grew) == 0
    off = Trial("--scale-down-enabled=false")
    off.step()
    assert off.step(seconds=99_999) == 2


def test_a_group_may_have_a_time_of_its_own_and_a_node_may_be_kept() -> None:
    trial = Trial("--scale-down-unneeded-time=10h", tags={OPTIONS + "scaledownunneededtime": "1m"})
    protected, _ = list(trial.view.running)
    trial.kube.objects[f"/api/v1/nodes/{protected}"]["metadata"]["annotations"][DISABLED] = "true"
    trial.step()
    assert trial.step(seconds=60) == 1
    assert list(trial.view.running) == [protected]


def test_a_role_that_may_not_terminate_is_said_and_nothing_goes() -> None:
    trial = Trial("--scale-down-unneeded-time=0")
    trial.view.denied = {ROLE}
    trial.step()
    assert trial.step(seconds=10) == 2
    assert any(reason == "ScaleDownFailed" for reason, _ in trial.kube.events())
