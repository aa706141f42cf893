"""A container cannot change what it runs."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Options, Policy, Resource, Undecided
from ..pack.pods import AGENT_NAMESPACES, WORKLOADS, Part, in_containers

POLICY = Policy(
    title="Root file systems are read-only",
    severity="low",
    description="Who gets into a container writes his tools into it first. What must be written goes into an "
    "emptyDir with a limit, which does not fill the node's disk either.",
    remediation="Set `securityContext.readOnlyRootFilesystem: true`, and mount an emptyDir where it writes.",
    frameworks=("NIST 800-53 CM-5", "NIST 800-53 SI-7"),
    options={"agent_namespaces": AGENT_NAMESPACES},
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Containers whose root can be written."""
    yield from in_containers(resource, _judge, agents=options["agent_namespaces"])


def _judge(container: Part) -> Iterator[Judgement]:
    path = f"{container.path}.securityContext.readOnlyRootFilesystem"
    value = container.get("securityContext.readOnlyRootFilesystem")
    if value is UNKNOWN:
        yield Undecided(path)
    elif not value:
        yield Finding(path, f"{container.name!r} can write all over its image")
