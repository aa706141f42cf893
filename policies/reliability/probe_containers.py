"""Only ready pods get requests."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, check_each
from ..framework.pod_search import Container
from ..framework.pods import REPLICATED, containers

POLICY = Policy(
    title="Servers have a readiness probe",
    severity="medium",
    description="Without a readiness probe a pod gets requests as soon as its process starts, and a rollout "
    "continues even if no new pod answers, until no old one is left.",
    remediation="Give every container that has ports a `readinessProbe`, and one that starts slowly a "
    "`startupProbe` as well.",
    frameworks=("SOC 2 A1.2",),
)


@POLICY.on(*REPLICATED)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Containers with ports and without a probe."""
    yield from check_each(containers(resource, ("containers",)), _check)


def _check(container: Container) -> Iterator[Outcome]:
    if container.known("ports") and container.known("readinessProbe") is None:
        yield Violation(
            container.where("readinessProbe"), f"{container.name!r} has ports and no readiness probe"
        )
