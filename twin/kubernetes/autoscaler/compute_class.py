"""ComputeClasses: in which order the node pools of a class are grown (GKE).

Node pools that carry the label (and taint) `cloud.google.com/compute-class: NAME` are of the class NAME, and
grow for Pods that select it. Its `priorities` rank them; the highest that can give a node does. Node pools
are not created here: `nodePoolAutoCreation` is for clusters that have it on.
Sources: "About custom ComputeClasses", "ComputeClass CustomResourceDefinition" of GKE's documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from twin.kubernetes.autoscaler.expander import Option
from twin.kubernetes.autoscaler.groups import OPTIONS
from twin.kubernetes.cloud_interface import Group

LABEL: Final = "cloud.google.com/compute-class"
POOL: Final = "cloud.google.com/gke-nodepool"
ANYWAY: Final = "ScaleUpAnyway"

Rule = Mapping[str, Any]


def class_of(group: Group) -> str:
    """The class that a group is of; empty: none."""
    return group.template.labels.get(LABEL, "")


def rank(rules: Sequence[Rule], group: Group) -> int | None:
    """The place of a group among a class's priorities, the first 0; None where no rule is for it."""
    return next((index for index, rule in enumerate(rules) if _fits(rule, group)), None)


def _fits(rule: Rule, group: Group) -> bool:
    labels = group.template.labels
    if "nodepools" in rule:
        return labels.get(POOL, group.node_group) in rule["nodepools"]
    zones = (rule.get("location") or {}).get("zones")
    return (
        _equal(labels, "cloud.google.com/machine-family", rule.get("machineFamily"))
        and _equal(labels, "node.kubernetes.io/instance-type", rule.get("machineType"))
        and _is(rule.get("spot"), group.spot)
        and _is((rule.get("flexStart") or {}).get("enabled"), group.flex_start)
        and _device(labels, rule)
        and _large(labels, "cloud.google.com/gke-cpu-scaling-level", rule.get("minCores"))
        and _large(labels, "cloud.google.com/gke-memory-gb-scaling-level", rule.get("minMemoryGb"))
        and (not zones or labels.get("topology.kubernetes.io/zone") in zones)
    )


def _equal(labels: Mapping[str, str], label: str, wanted: Any) -> bool:
    return wanted is None or labels.get(label) == wanted


def _is(wanted: bool | None, actual: bool) -> bool:
    # A rule that says nothing of spot is for nodes on demand.
    return bool(wanted) == actual


def _large(labels: Mapping[str, str], label: str, least: int | None) -> bool:
    return least is None or int(labels.get(label, "0")) >= least


def _device(labels: Mapping[str, str], rule: Rule) -> bool:
    card = rule.get("gpu") or {}
    chip = rule.get("tpu") or {}
    prefix = "cloud.google.com/gke-"
    count = card.get("count") or chip.get("count")
    return (
        _equal(labels, f"{prefix}accelerator", card.get("type"))
        and _equal(labels, f"{prefix}tpu-accelerator", chip.get("type"))
        and _equal(labels, f"{prefix}tpu-topology", chip.get("topology"))
        and _equal(labels, f"{prefix}accelerator-count", str(count) if count else None)
    )


def delayed(groups: Iterable[Group], classes: Mapping[str, Mapping[str, Any]]) -> list[Group]:
    """The groups, with how long their class lets a node be idle (`consolidationDelayMinutes`) among their
    options."""
    delayed_groups: list[Group] = []
    for group in groups:
        spec: Mapping[str, Any] = (classes.get(class_of(group)) or {}).get("spec") or {}
        minutes = (spec.get("autoscalingPolicy") or {}).get("consolidationDelayMinutes")
        options = {} if minutes is None else {f"{OPTIONS}scaledownunneededtime": f"{minutes}m"}
        delayed_groups.append(replace(group, tags={**group.tags, **options}))
    return delayed_groups


def preferred(options: Iterable[Option], classes: Mapping[str, Mapping[str, Any]]) -> list[Option]:
    """Of each class the options of its best rank; all those that are of no class.

    classes: the ComputeClass objects by name. A class that is not there grows nothing.
    """
    best_options: list[Option] = []
    ranked: dict[str, list[tuple[int, Option]]] = {}
    for option in options:
        name = class_of(option.managed.group)
        if not name:
            best_options.append(option)
            continue
        spec: Mapping[str, Any] = (classes.get(name) or {}).get("spec") or {}
        rules: Sequence[Rule] = spec.get("priorities") or ()
        place = rank(rules, option.managed.group)
        if place is None and name in classes and spec.get("whenUnsatisfiable") == ANYWAY:
            place = len(rules)
        if place is not None:
            ranked.setdefault(name, []).append((place, option))
    for pairs in ranked.values():
        best = min(place for place, _ in pairs)
        best_options += [option for place, option in pairs if place == best]
    return best_options
