"""The loops together, over a cloud and an API server in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from twin.instances import Instance
from twin.kubernetes import controller as module
from twin.kubernetes.cloud_interface import Addon, Principal
from twin.kubernetes.controller import Controller
from twin.kubernetes.time_scale import Clock
from twin.tests.kubernetes.fakes import FakeKube, FakeMirror, FakeView, template
from twin.tests.kubernetes.test_cluster_life import CLUSTER, Processes, namespaces


class Mirrored(FakeMirror):
    """A mirror that sees the fake API server's objects at once."""

    synced = True
    kube: FakeKube

    def all(self, kind: str) -> list[Any]:
        return [item for at, item in self.kube.objects.items() if at.split("/")[-2:-1] == [kind]]


@pytest.fixture
def kube() -> FakeKube:
    fake = FakeKube()
    namespaces(fake)
    return fake


@pytest.fixture
def view() -> FakeView:
    return FakeView(CLUSTER)


@pytest.fixture
def controller(view: FakeView, kube: FakeKube, monkeypatch: pytest.MonkeyPatch) -> Any:
    mirror = Mirrored()
    mirror.kube = kube
    monkeypatch.setattr(module, "Kube", lambda _: kube)
    monkeypatch.setattr(module, "Mirror", lambda _: mirror)
    instance_controller = Controller(
        Instance("test", ports={"webhook": 0}), view, processes=Processes(kube), clock=Clock(10)
    )
    yield instance_controller
    instance_controller.webhook._server.server_close()  # pyright: ignore[reportPrivateUsage]


def test_one_tick_prepares_the_cluster_and_makes_nodes_and_addons(
    controller: Controller, view: FakeView, kube: FakeKube
) -> None:
    view.add_group("system", template(), 1, 2, 1)
    view.wanted_addons["vpc-cni"] = Addon("vpc-cni", "v1.20.4-eksbuild.2", "CREATING", {})
    controller.tick()
    assert view.present is not None
    assert view.present.status == "ACTIVE"
    assert "/apis/storage.k8s.io/v1/storageclasses/gp2" in kube.objects
    assert "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node" in kube.objects
    assert len(kube.below("/api/v1/nodes")) == 1
    assert ("node_group_health", "system", 0, ()) in view.calls


def test_a_cloud_that_is_away_costs_no_node(controller: Controller, view: FakeView, kube: FakeKube) -> None:
    view.add_group("system", template(), 1, 2, 1)
    controller.tick()
    view.away = True
    controller.tick()
    assert len(kube.below("/api/v1/nodes")) == 1
    view.away = False
    controller.tick()


def test_one_step_that_fails_does_not_keep_the_others_from_their_work(
    controller: Controller, view: FakeView, kube: FakeKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.add_group("system", template(), 1, 2, 1)

    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(controller.addons, "step", broken)
    controller.tick()
    assert len(kube.below("/api/v1/nodes")) == 1


def test_without_a_cluster_nobody_gets_in(controller: Controller, view: FakeView) -> None:
    view.tokens["good"] = Principal("alice", ["admins"], policies=[("AmazonEKSViewPolicy", ())])
    assert controller.authenticate("good") is None
    controller.tick()
    seen = controller.authenticate("good")
    assert seen is not None
    assert list(seen.groups) == ["admins", "eks-access-policy:AmazonEKSViewPolicy"]
    assert controller.authenticate("bad") is None
    assert controller.authenticate("") is None
    view.present = replace(CLUSTER, status="DELETING")
    controller.tick()
    assert controller.authenticate("good") is None


def test_an_unknown_instance_is_an_error_that_says_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    assert module.main(["--instance", "nowhere"]) == 2
    assert "aiplatform twin start --name nowhere" in caplog.text
