"""Which of the groups that would do is grown: the autoscaler's expanders.

Source: github.com/kubernetes/autoscaler, cluster-autoscaler/expander. Where the real one draws by lot among
equals, the twin takes the first by name, so that two runs do the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from twin.kubernetes.autoscaler.groups import Managed
from twin.kubernetes.quantity import Amounts, add
from twin.kubernetes.scheduling_predicates import Bin, Pod

PRIORITIES: Final = "cluster-autoscaler-priority-expander"
KEY: Final = "priorities"


@dataclass(frozen=True)
class Option:
    """Growing one group: by how many nodes, for which Pods, and how they would fill."""

    managed: Managed
    nodes: int
    pods: Sequence[Pod]
    bins: Sequence[Bin]

    @property
    def name(self) -> str:
        """The group's name."""
        return self.managed.group.name


class PriorityError(Exception):
    """The priority expander cannot use its ConfigMap and passes all groups on; the text says why."""


def priorities(config_map: Mapping[str, Any]) -> dict[int, list[re.Pattern[str]]]:
    """The ConfigMap's priorities: number to regular expressions of group names."""
    text = (config_map.get("data") or {}).get(KEY)
    if not text:
        raise PriorityError(
            f"Wrong configmap for priority expander, doesn't contain {KEY} key. Ignoring update."
        )
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PriorityError(f"Can't parse YAML with priorities in the configmap: {error}") from error
    if not isinstance(parsed, dict):
        raise PriorityError(f"Can't parse YAML with priorities in the configmap: {text!r} is no mapping")
    by_number: dict[int, list[re.Pattern[str]]] = {}
    for number, expressions in parsed.items():
        if not isinstance(number, int) or not isinstance(expressions, list):
            raise PriorityError(
                f"Can't parse YAML with priorities in the configmap: {number!r} must be a whole number "
                "with a list of regular expressions"
            )
        for expression in expressions:
            try:
                by_number.setdefault(number, []).append(re.compile(str(expression)))
            except re.error as error:
                raise PriorityError(
                    f"Can't compile regexp rule for priority {number} and rule {expression}: {error}"
                ) from error
    return by_number


def by_priority(options: Sequence[Option], ranks: Mapping[int, Sequence[re.Pattern[str]]]) -> list[Option]:
    """Those of the highest priority; all where none is named (the real one then draws by lot)."""

    def rank(option: Option) -> int:
        return max((n for n, rules in ranks.items() if any(r.search(option.name) for r in rules)), default=-1)

    best = max(rank(option) for option in options)
    return [option for option in options if rank(option) == best]


def least_waste(options: Sequence[Option]) -> list[Option]:
    """Those that leave the smallest share of cpu and memory unused."""

    def waste(option: Option) -> float:
        size: Amounts = {}
        free: Amounts = {}
        for node in option.bins:
            add(size, node.shape.allocatable)
            add(free, node.free)
        shares = [free[name] / size[name] for name in ("cpu", "memory") if size.get(name)]
        return round(sum(shares), 9)

    best = min(waste(option) for option in options)
    return [option for option in options if waste(option) == best]


def most_pods(options: Sequence[Option]) -> list[Option]:
    """Those that place the most Pods."""
    best = max(len(option.pods) for option in options)
    return [option for option in options if len(option.pods) == best]


def least_nodes(options: Sequence[Option]) -> list[Option]:
    """Those that need the fewest nodes."""
    best = min(option.nodes for option in options)
    return [option for option in options if option.nodes == best]


def choose(
    expanders: Sequence[str],
    options: Sequence[Option],
    config_map: Callable[[], Mapping[str, Any] | None],
    warn: Callable[[str], None],
) -> Option | None:
    """Filter by each expander in turn; the first of what is left.

    A ConfigMap that is missing or cannot be used filters nothing; `warn` gets why it cannot be used
    (expander/priority/priority.go, BestOptions).
    """
    left = sorted(options, key=lambda option: option.name)
    simple = {"least-waste": least_waste, "most-pods": most_pods, "least-nodes": least_nodes}
    for name in expanders:
        if len(left) < 2 and name != "priority":
            break
        if name == "priority":
            configured = config_map()
            try:
                left = by_priority(left, priorities(configured)) if configured is not None else left
            except PriorityError as error:
                warn(str(error))
        elif name in simple:
            left = simple[name](left)
    return left[0] if left else None
