"""Which groups are managed, and what their next node would be."""

from __future__ import annotations

from dataclasses import replace

from twin.kubernetes.autoscaler.flags import parse
from twin.kubernetes.autoscaler.groups import (
    TEMPLATE,
    Member,
    discover,
    from_template,
    managed,
    similar,
    usable,
)
from twin.kubernetes.cloud_interface import Group, Taint
from twin.tests.kubernetes.builders import node
from twin.tests.kubernetes.fakes import FakeView, template

GPU = template(
    "p5.48xlarge",
    cpu=192,
    memory="2Ti",
    devices={"nvidia.com/gpu": 8, "vpc.amazonaws.com/efa": 32},
    labels={"k8s.amazonaws.com/accelerator": "nvidia-h100"},
    taints=[Taint("nvidia.com/gpu", "NoSchedule", "true")],
)


def group(**tags: str) -> Group:
    view = FakeView()
    view.add_group("h100", GPU, 0, 4, 0, **tags)
    return view.known["eks-h100"]


def test_only_tagged_and_named_groups_are_managed() -> None:
    view = FakeView()
    view.add_group("a", template(), 0, 4, 0)
    view.add_group("b", template(), 0, 4, 0)
    view.known["eks-b"] = replace(view.known["eks-b"], tags={})
    by_tag = parse(["--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled"])
    assert [group.name for group in discover(view.groups(), by_tag)] == ["eks-a"]
    by_value = parse(["--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/acme-dev=shared"])
    assert discover(view.groups(), by_value) == []
    (named,) = discover(view.groups(), parse(["--nodes=1:2:eks-b"]))
    assert (named.name, named.minimum, named.maximum) == ("eks-b", 1, 2), "the flag's limits count"


def test_an_empty_group_is_known_by_its_instance_type_labels_and_taints() -> None:
    shape = from_template(group())
    assert shape.allocatable["nvidia.com/gpu"] == 8000
    assert shape.allocatable["cpu"] == 192_000, "it takes capacity for allocatable"
    assert shape.labels["k8s.amazonaws.com/accelerator"] == "nvidia-h100"
    assert shape.taints == [Taint("nvidia.com/gpu", "NoSchedule", "true")]


def test_what_the_type_does_not_tell_an_empty_group_learns_from_tags_alone() -> None:
    assert "vpc.amazonaws.com/efa" not in from_template(group()).allocatable
    assert "ephemeral-storage" not in from_template(group()).allocatable
    tags = {
        f"{TEMPLATE}resources/vpc.amazonaws.com/efa": "32",
        f"{TEMPLATE}resources/ephemeral-storage": "lots",
        f"{TEMPLATE}label/team": "vision",
        f"{TEMPLATE}taint/team": "vision:NoSchedule",
        f"{TEMPLATE}taint/broken": "vision",
    }
    shape = from_template(group(**tags))
    assert shape.allocatable["vpc.amazonaws.com/efa"] == 32_000
    assert "ephemeral-storage" not in shape.allocatable, "what is no quantity is passed over"
    assert shape.labels["team"] == "vision"
    assert [taint.key for taint in shape.taints] == ["nvidia.com/gpu", "team"]


def test_a_taint_without_value_an_empty_group_learns_from_a_tag_alone() -> None:
    view = FakeView()
    bare = [Taint("example.com/batch", "NoSchedule"), Taint("team", "NoSchedule", "web")]
    view.add_group("batch", template(taints=bare), 0, 4, 0)
    known = view.known["eks-batch"]
    assert [taint.key for taint in from_template(known).taints] == ["team"], "EKS's answer leaves it out"
    tagged = replace(known, tags={f"{TEMPLATE}taint/example.com/batch": ":NoSchedule"})
    assert Taint("example.com/batch", "NoSchedule") in from_template(tagged).taints
    assert (
        Taint("example.com/batch", "NoSchedule") in from_template(replace(known, exact_template=True)).taints
    )


def member(
    labels: dict[str, str] | None = None, since: float = 0.0, resources: dict[str, str] | None = None
) -> Member:
    machine = replace(
        GPU, name="node-1", devices={"nvidia.com/gpu": 8}, labels={**GPU.labels, **(labels or {})}
    )
    return Member(machine, node("node-1", labels=dict(machine.labels), since=since, resources=resources))


def test_a_node_with_a_gpu_label_counts_once_it_has_gpus() -> None:
    assert not usable(member(since=9999), 10)
    assert usable(member(resources={"nvidia.com/gpu": "8"}), 10)


def test_a_node_whose_other_devices_are_late_is_given_a_moment() -> None:
    trainium = replace(template("trn1.32xlarge", devices={"aws.amazon.com/neuron": 16}), name="node-1")
    assert not usable(Member(trainium, node("node-1", since=2)), 10)
    assert usable(Member(trainium, node("node-1", since=20)), 10)
    assert not usable(Member(trainium, node("node-1", ready=False)), 10)
    assert not usable(Member(trainium, None), 10)


def test_a_group_with_a_node_is_known_by_that_node() -> None:
    view = FakeView()
    view.add_group("h100", GPU, 0, 4, 2)
    one, two = list(view.running)
    gpus = {"nvidia.com/gpu": "7", "cpu": "191"}
    there = node(
        one, taints=[{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}], resources=gpus
    )
    there["status"]["allocatable"]["vpc.amazonaws.com/efa"] = "32"
    (group,) = managed(view.groups(), view.machines(), {one: there, two: node(two, ready=False)}, 10)
    assert group.shape.allocatable["nvidia.com/gpu"] == 7000
    assert group.shape.taints == [], "what passes by itself is left out"
    assert (len(group.members), len(group.usable), group.coming) == (2, 1, 1)


def test_groups_that_differ_by_zone_alone_are_similar() -> None:
    view = FakeView()
    view.add_group("a", template(), 0, 4, 0)
    view.add_group("b", template(labels={"topology.kubernetes.io/zone": "us-west-2b"}), 0, 4, 0)
    view.add_group("c", template(labels={"team": "vision"}), 0, 4, 0)
    view.add_group("d", template(cpu=8), 0, 4, 0)
    a, b, c, d = managed(view.groups(), [], {}, 10)
    assert similar(a, b, [])
    assert not similar(a, c, [])
    assert similar(a, c, ["team"])
    assert not similar(a, d, [])
