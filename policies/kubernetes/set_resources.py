"""Containers say what they need, and how much memory they may take."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.pods import WORKLOADS, Part, in_containers

POLICY = Policy(
    title="Resources are requested and memory limited",
    severity="medium",
    description="A pod that requests nothing is put where there is no room and evicted first; one without a "
    "memory limit takes its neighbours down with it. A limit of CPU is left to the owner: it throttles.",
    remediation="Set `resources.requests.cpu`, `resources.requests.memory` and `resources.limits.memory`.",
    frameworks=("NIST 800-53 SC-6", "SOC 2 A1.1"),
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource) -> Iterator[Judgement]:
    """Containers that say nothing."""
    yield from in_containers(resource, _judge)


def _judge(container: Part) -> Iterator[Judgement]:
    for kind in ("cpu", "memory"):
        # A limit without a request is a request, too.
        yield from _said(container, f"resources.requests.{kind}", f"resources.limits.{kind}")
    yield from _said(container, "resources.limits.memory")


def _said(container: Part, *paths: str) -> Iterator[Judgement]:
    values = [container.get(path) for path in paths]
    if any(value is UNKNOWN for value in values):
        yield Undecided(f"{container.path}.{paths[0]}")
    elif all(value is None for value in values):
        _, key, kind = paths[0].split(".")
        yield Finding(f"{container.path}.{paths[0]}", f"{container.name!r} has no {kind} in its {key}")
