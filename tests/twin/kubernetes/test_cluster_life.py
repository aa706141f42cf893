"""The control plane begins empty with a cluster, and ends with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.twin.kubernetes.fakes import FakeKube, FakeMirror, FakeView
from twin.kubernetes.api import Unreachable
from twin.kubernetes.cluster_life import GONE_AFTER, MARK, ClusterLife
from twin.kubernetes.view import Cluster

CLUSTER = Cluster("acme-dev", "CREATING", "1.34", uid="one")


class Processes:
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


class World:
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
    world = World()
    live = world.life.step()
    assert live is not None
    assert world.processes.wiped == [], "it was never used: a wipe would cost seconds for nothing"
    assert world.installed == ["acme-dev"]
    assert world.view.calls == [("cluster_ready", "https://127.0.0.1:1", "Q0E=")]
    assert world.kube.objects[MARK]["data"] == {"cluster": "acme-dev one"}


def test_leftovers_of_nobody_are_wiped_first() -> None:
    world = World()
    world.kube.objects["/api/v1/namespaces/team-a"] = {"metadata": {"name": "team-a"}}
    world.life.step()
    assert world.processes.wiped == ["acme-dev"]


def test_a_cluster_that_asks_for_other_settings_gets_a_control_plane_with_them() -> None:
    world = World(replace(CLUSTER, service_cidr="10.100.0.0/16"))
    world.life.step()
    assert world.processes.settings == "10.100.0.0/16"


def test_a_restart_does_not_wipe_a_live_cluster() -> None:
    world = World()
    world.life.step()
    world.kube.objects["/api/v1/namespaces/team-a"] = {"metadata": {"name": "team-a"}}
    world.restarted().step()
    assert world.processes.wiped == []
    assert "/api/v1/namespaces/team-a" in world.kube.objects
    assert world.installed == ["acme-dev"], "nor does it install anything again"


def test_a_kill_before_the_cloud_heard_of_it_is_made_good() -> None:
    world = World()
    world.life.step()
    world.view.present = CLUSTER
    world.restarted().step()
    assert [call[0] for call in world.view.calls] == ["cluster_ready", "cluster_ready"]
    assert world.processes.wiped == []


def test_a_cluster_of_the_same_name_made_anew_gets_an_empty_control_plane() -> None:
    world = World()
    world.life.step()
    world.view.present = replace(CLUSTER, uid="two")
    world.life.step()
    assert world.processes.wiped == ["acme-dev"]
    assert world.kube.objects[MARK]["data"] == {"cluster": "acme-dev two"}


def test_deleting_wipes_and_then_tells_the_cloud() -> None:
    world = World()
    world.life.step()
    world.view.present = replace(CLUSTER, status="DELETING")
    assert world.life.step() is None
    assert world.processes.wiped == [None]
    assert world.view.calls[-1] == ("cluster_gone",)
    assert world.mirror.forgotten == 1


def test_a_cluster_that_the_cloud_no_longer_knows_is_wiped_after_a_while() -> None:
    world = World()
    world.life.step()
    world.view.present = None
    for _ in range(GONE_AFTER - 1):
        assert world.life.step() is None, "no cluster: no node, no token"
    assert world.processes.wiped == [], "a cloud that starts may not know its cluster for a moment"
    world.life.step()
    assert world.processes.wiped == [None]


def test_a_live_cluster_whose_data_is_lost_is_installed_anew() -> None:
    world = World(replace(CLUSTER, status="ACTIVE"))
    world.life.step()
    assert world.installed == ["acme-dev"]
    assert world.processes.wiped == []


def test_an_api_server_that_is_away_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    def away(where: str) -> None:
        raise Unreachable(where)

    monkeypatch.setattr(world.kube, "find", away)
    with pytest.raises(Unreachable):
        world.life.step()
    assert world.view.calls == []
    assert world.processes.wiped == []
