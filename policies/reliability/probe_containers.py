"""Traffic goes to what answers."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.pods import REPLICATED, containers

POLICY = Policy(
    title="Servers have a readiness probe",
    severity="medium",
    description="Without a readiness probe a pod gets requests from the moment its process starts, and a "
    "rollout goes on though nothing new answers: the old ones are gone when it is seen.",
    remediation="Give every container that has ports a `readinessProbe`; a slow one a `startupProbe`, too.",
    frameworks=("SOC 2 A1.2",),
)


@POLICY.on(*REPLICATED)
def rule(resource: Resource) -> Iterator[Judgement]:
    """Containers with ports and no probe."""
    for container in containers(resource, ("containers",)):
        if isinstance(container, Undecided):
            yield container
            continue
        ports, probe = container.get("ports"), container.get("readinessProbe")
        if probe is not UNKNOWN and probe is not None:
            continue
        if ports is UNKNOWN or (probe is UNKNOWN and ports):
            yield Undecided(f"{container.path}.{'ports' if ports is UNKNOWN else 'readinessProbe'}")
        elif ports:
            yield Finding(
                f"{container.path}.readinessProbe", f"nobody asks {container.name!r} whether it answers"
            )
