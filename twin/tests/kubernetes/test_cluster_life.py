"""The control plane begins empty with a cluster, and ends with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twin.kubernetes.api import Unreachable
from twin.kubernetes.cloud_interface import Cluster
from twin.kubernetes.cluster_life import GONE_AFTER, MARK, ClusterLife, ControlPlane
from twin.tests.kubernetes.fakes import FakeKube, FakeMirror, FakeView

CLUSTER = Cluster("acme-dev", "CREATING", "1.34", uid="one")


class Processes(ControlPlane):
    def __init__(self, kube: FakeKube) -> None:
        self.kube = kube
        self.settings = ""
        self.wiped: list[str | None] = []

    def matches(self, cluster: Cluster) -> bool:
        return cluster.service_cidr == self.settings

    def wipe(self, cluster: Cluster | None) -> None:
        self.wiped.append(cluster.name if cluster else None)
        self.settings = cluster.service_cidr if cluster else ""
        self.kube.objects = {"/version": {"gitVersion": "v1.36.5"}}
        namespaces(self.kube)

    def address(self) -> tuple[str, str]:
        return "https://127.0.0.1:1", "Q0E="


def namespaces(kube: FakeKube) -> None:
    for name in ("default", "kube-system"):
        kube.objects[f"/api/v1/namespaces/{name}"] = {"metadata": {"name": name}}


class Instance:
    def __init__(self, cluster: Cluster | None = CLUSTER) -> None:
        self.view = FakeView(cluster)
        self.kube = FakeKube()
        namespaces(self.kube)
        self.processes = Processes(self.kube)
        self.mirror = FakeMirror()
        self.installed: list[str] = []
        self.life = self.restarted()

    def restarted(self) -> ClusterLife:
        self.life = ClusterLife(
            self.view,
            self.kube,  # pyright: ignore[reportArgumentType]
            self.mirror,  # pyright: ignore[reportArgumentType]
            self.processes,
            lambda cluster: self.installed.append(cluster.name),
        )
        return self.life


def test_a_first_cluster_takes_the_pristine_control_plane_as_it_is() -> None:
    instance = Instance()
    live = instance.life.step()
    assert live is not None
    assert instance.processes.wiped == [], "it was never used: a wipe would cost seconds for nothing"
    assert instance.installed == ["acme-dev"]
    assert instance.view.calls == [("cluster_ready", "https://127.0.0.1:1", "Q0E=")]
    assert instance.kube.objects[MARK]["data"] == {"cluster": "acme-dev one"}


def test_leftovers_of_nobody_are_wiped_first() -> None:
    instance = Instance()
    instance.kube.objects["/api/v1/namespaces/team-a"] = {"metadata": {"name": "team-a"}}
    instance.life.step()
    assert instance.processes.wiped == ["acme-dev"]


def test_a_cluster_that_asks_for_other_settings_gets_a_control_plane_with_them() -> None:
    instance = Instance(replace(CLUSTER, service_cidr="10.100.0.0/16"))
    instance.life.step()
    assert instance.processes.settings == "10.100.0.0/16"


def test_a_restart_does_not_wipe_a_live_cluster() -> None:
    instance = Instance()
    instance.life.step()
    instance.kube.objects["/api/v1/namespaces/team-a"] = {"metadata": {"name": "team-a"}}
    instance.restarted().step()
    assert instance.processes.wiped == []
    assert "/api/v1/namespaces/team-a" in instance.kube.objects
    assert instance.installed == ["acme-dev"], "nor does it install anything again"


def test_a_kill_before_the_cloud_heard_of_it_is_made_good() -> None:
    instance = Instance()
    instance.life.step()
    instance.view.present = CLUSTER
    instance.restarted().step()
    assert [call[0] for call in instance.view.calls] == ["cluster_ready", "cluster_ready"]
    assert instance.processes.wiped == []


def test_a_cluster_of_the_same_name_made_anew_gets_an_empty_control_plane() -> None:
    instance = Instance()
    instance.life.step()
    instance.view.present = replace(CLUSTER, uid="two")
    instance.life.step()
    assert instance.processes.wiped == ["acme-dev"]
    assert instance.kube.objects[MARK]["data"] == {"cluster": "acme-dev two"}


def test_deleting_wipes_and_then_tells_the_cloud() -> None:
    instance = Instance()
    instance.life.step()
    instance.view.present = replace(CLUSTER, status="DELETING")
    assert instance.life.step() is None
    assert instance.processes.wiped == [None]
    assert instance.view.calls[-1] == ("cluster_gone",)
    assert instance.mirror.forgotten == 1


def test_a_cluster_that_the_cloud_no_longer_knows_is_wiped_after_a_while() -> None:
    instance = Instance()
    instance.life.step()
    instance.view.present = None
    for _ in range(GONE_AFTER - 1):
        assert instance.life.step() is None, "no cluster: no node, no token"
    assert instance.processes.wiped == [], "a cloud that starts may not know its cluster for a moment"
    instance.life.step()
    assert instance.processes.wiped == [None]


def test_a_live_cluster_whose_data_is_lost_is_installed_anew() -> None:
    instance = Instance(replace(CLUSTER, status="ACTIVE"))
    instance.life.step()
    assert instance.installed == ["acme-dev"]
    assert instance.processes.wiped == []


def test_an_api_server_that_is_away_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = Instance()

    def away(where: str) -> None:
        raise Unreachable(where)

    monkeypatch.setattr(instance.kube, "find", away)
    with pytest.raises(Unreachable):
        instance.life.step()
    assert instance.view.calls == []
    assert instance.processes.wiped == []
