"""Serving does not run on spot capacity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..framework import UNKNOWN, Deferred, Option, Options, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No spot capacity for serving",
    severity="medium",
    description="A cloud reclaims spot nodes within minutes, most often when the demand is high. Training "
    "resumes from its checkpoint; a request that is in progress is lost.",
    remediation="Use on-demand or reserved capacity for pools that serve.",
    frameworks=("SOC 2 A1.1",),
    options={
        "words": Option(
            {"type": "array", "items": {"type": "string"}},
            ["serving", "inference"],
            "The words in a pool's name, labels or taints that mark it as one that serves.",
        )
    },
    # Lost requests are acceptable in dev.
    levels={"dev": "disabled"},
)


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_eks(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Node groups of spot instances."""
    if resource.known("capacityType") == "SPOT" and _serves(resource, options, "labels", "taints"):
        yield Violation("capacityType", "is 'SPOT' for nodes that serve")


@POLICY.on("gcp:container/nodePool:NodePool")
def on_gke(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Node pools of spot or preemptible machines."""
    yield from check_each(("nodeConfig.spot", "nodeConfig.preemptible"), _check, resource, options)


def _check(path: str, resource: Resource, options: Options) -> Iterator[Outcome]:
    if resource.known(path) is True and _serves(resource, options, "nodeConfig.labels", "nodeConfig.taints"):
        yield Violation(path, "is true for nodes that serve")


def _serves(resource: Resource, options: Options, *paths: str) -> bool:
    """Return whether its name, or the value of a label or taint, contains one of the words."""
    values: list[Any] = [resource.name, resource.raw("name"), resource.raw("nodeGroupName")]
    for path in paths:
        value = resource.raw(path)
        if isinstance(value, Mapping):
            values += cast("Mapping[str, Any]", value).values()
        elif isinstance(value, list):
            values += [entry.raw("value") for entry in resource.entries(path)]
        else:
            values.append(value)
    texts = [value for value in values if isinstance(value, str)]
    words = {word for text in texts for word in re.split(r"[^a-z0-9]+", text.lower())}
    if not words.isdisjoint(options["words"]):
        return True
    if any(value is UNKNOWN for value in values):
        raise Deferred(paths[0])
    return False
