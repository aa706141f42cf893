"""What serves does not stand on spot capacity alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Serving off spot capacity",
    severity="medium",
    description="A cloud takes spot nodes back within minutes, most often when everybody wants them. "
    "Training resumes from its checkpoint; a request that is being answered is lost.",
    remediation="Take on-demand or reserved capacity for pools that serve.",
    frameworks=("SOC 2 A1.1",),
    options={
        "words": Option(
            {"type": "array", "items": {"type": "string"}},
            ["serving", "inference"],
            "The words in a pool's name, labels or taints that tell that it serves.",
        )
    },
    # Nobody waits for an answer of dev's.
    levels={"dev": "disabled"},
)


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_eks(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Node groups of spot instances."""
    kind = resource.get("capacityType")
    if _serves(resource, options, "labels", "taints"):
        if kind is UNKNOWN:
            yield Undecided("capacityType")
        elif kind == "SPOT":
            yield Finding("capacityType", "is 'SPOT' for nodes that serve")


@POLICY.on("gcp:container/nodePool:NodePool")
def on_gke(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Node pools of spot or preemptible machines."""
    if not _serves(resource, options, "nodeConfig.labels", "nodeConfig.taints"):
        return
    for path in ("nodeConfig.spot", "nodeConfig.preemptible"):
        said = resource.get(path)
        if said is UNKNOWN:
            yield Undecided(path)
        elif said is True:
            yield Finding(path, "is true for nodes that serve")


def _serves(resource: Resource, options: Options, *paths: str) -> bool:
    """Whether its name, or a label's or taint's value, has one of the words."""
    said = [resource.name, resource.get("name"), resource.get("nodeGroupName")]
    for path in paths:
        value = resource.get(path)
        said += cast("Mapping[str, Any]", value).values() if isinstance(value, Mapping) else []
        said += [cast("dict[str, Any]", entry).get("value") for _, entry in resource.items(path)]
    words = {word for each in said if isinstance(each, str) for word in re.split(r"[^a-z0-9]+", each.lower())}
    return not words.isdisjoint(options["words"])
