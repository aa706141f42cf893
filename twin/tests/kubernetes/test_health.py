"""The cloud hears how its node groups fare."""

from __future__ import annotations

from twin.kubernetes.health import NodeGroupHealth
from twin.kubernetes.time_scale import Clock
from twin.tests.kubernetes.builders import node
from twin.tests.kubernetes.fakes import FakeView, template


def view() -> FakeView:
    fake = FakeView()
    fake.add_group("gpu", template(), 0, 4, 2)
    fake.add_group("empty", template(), 0, 4, 0)
    return fake


def test_ready_nodes_are_counted_by_node_group_those_without_machines_too() -> None:
    cloud = view()
    one, two = list(cloud.running)
    NodeGroupHealth(cloud, Clock(10)).step(
        cloud.groups(), cloud.machines(), {one: node(one), two: node(two, ready=False, since=1)}
    )
    assert sorted(cloud.calls) == [
        ("node_group_health", "empty", 0, ()),
        ("node_group_health", "gpu", 1, ()),
    ]


def test_the_same_is_not_said_again_at_once_and_a_change_is() -> None:
    cloud = view()
    one, _ = list(cloud.running)
    health = NodeGroupHealth(cloud, Clock(10))
    for nodes in ({}, {}, {one: node(one)}):
        health.step(cloud.groups(), cloud.machines(), nodes)
    assert [call[2] for call in cloud.calls if call[1] == "gpu"] == [0, 1]


def test_a_node_that_is_late_is_an_issue_of_its_group() -> None:
    cloud = view()
    one, _ = list(cloud.running)
    NodeGroupHealth(cloud, Clock(10)).step(
        cloud.groups(), cloud.machines(), {one: node(one, ready=False, since=100)}
    )
    issues = next(call[3] for call in cloud.calls if call[1] == "gpu")
    assert "Unhealthy nodes in the kubernetes cluster: i-" in issues[0], (
        "1,000 twin seconds are over 15 minutes"
    )
