"""ComputeClasses order node pools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from twin.kubernetes.autoscaler.compute_class import delayed, preferred, rank
from twin.kubernetes.autoscaler.expander import Option
from twin.kubernetes.autoscaler.groups import OPTIONS, Managed, from_template
from twin.kubernetes.cloud_interface import Group
from twin.tests.kubernetes.fakes import template

LABELS = {
    "cloud.google.com/compute-class": "fast",
    "cloud.google.com/machine-family": "g2",
    "cloud.google.com/gke-accelerator": "nvidia-l4",
    "cloud.google.com/gke-accelerator-count": "1",
    "cloud.google.com/gke-cpu-scaling-level": "8",
}


def _group(pool: str, *, labels: dict[str, str] | None = None, **changes: Any) -> Group:
    machine = template(
        "g2-standard-8", labels={**LABELS, "cloud.google.com/gke-nodepool": pool, **(labels or {})}
    )
    group = Group(f"gke-{pool}-grp", 0, 4, 0, machine, {}, pool, built_in=True)
    return replace(group, **changes)


def _option(group: Group) -> Option:
    return Option(Managed(group, from_template(group), (), (), 0), 1, (), ())


def _class(*priorities: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"fast": {"spec": {"priorities": list(priorities), **spec}}}


def _names(options: list[Option]) -> list[str]:
    return [option.managed.group.node_group for option in options]


def test_the_first_priority_that_can_grow_is_taken() -> None:
    classes = _class({"nodepools": ["spot"]}, {"nodepools": ["reserved", "on-demand"]})
    spot, reserved, other = _option(_group("spot")), _option(_group("reserved")), _option(_group("on-demand"))
    assert _names(preferred([other, spot, reserved], classes)) == ["spot"]
    assert _names(preferred([other, reserved], classes)) == ["on-demand", "reserved"], "equal ones stay"


def test_a_pool_that_no_rule_names_waits_unless_the_class_says_otherwise() -> None:
    spare = _option(_group("spare"))
    assert preferred([spare], _class({"nodepools": ["spot"]})) == []
    classes = _class({"nodepools": ["spot"]}, whenUnsatisfiable="ScaleUpAnyway")
    assert _names(preferred([spare], classes)) == ["spare"]


def test_a_class_that_is_not_there_grows_nothing_and_others_are_left_alone() -> None:
    plain = _option(_group("plain", labels={"cloud.google.com/compute-class": ""}))
    assert _names(preferred([_option(_group("spot")), plain], {})) == ["plain"]


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"machineFamily": "g2"}, True),
        ({"machineFamily": "n2"}, False),
        ({"machineType": "g2-standard-8"}, True),
        ({"gpu": {"type": "nvidia-l4", "count": 1}}, True),
        ({"gpu": {"type": "nvidia-l4", "count": 2}}, False),
        ({"spot": True}, False),
        ({"minCores": 16}, False),
        ({"location": {"zones": ["us-west-2a"]}}, True),
        ({"location": {"zones": ["elsewhere"]}}, False),
        ({"flexStart": {"enabled": True}}, False),
    ],
)
def test_a_rule_of_machines_fits_the_pools_that_have_them(rule: dict[str, Any], fits: bool) -> None:
    assert (rank([rule], _group("pool")) == 0) is fits


def test_spot_rules_are_for_spot_pools() -> None:
    assert rank([{"machineFamily": "g2"}, {"spot": True}], _group("pool", spot=True)) == 1


def test_a_classs_idle_time_is_an_option_of_its_groups() -> None:
    classes = _class({"nodepools": ["spot"]}, autoscalingPolicy={"consolidationDelayMinutes": 5})
    (group,) = delayed([_group("spot")], classes)
    assert group.tags == {f"{OPTIONS}scaledownunneededtime": "5m"}
