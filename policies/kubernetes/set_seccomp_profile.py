"""Containers make only the system calls that ordinary programs make."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Options, Policy, Resource, Undecided
from ..pack.pods import AGENT_NAMESPACES, WORKLOADS, Part, in_containers

POLICY = Policy(
    title="A seccomp profile is set",
    severity="medium",
    description="Without a profile a container may make every system call, and most holes of the kernel are "
    "in rare ones. RuntimeDefault refuses these.",
    remediation="Set `securityContext.seccompProfile: {type: RuntimeDefault}` on the pod.",
    frameworks=("CIS Kubernetes 5.7.2", "NIST 800-53 CM-7"),
    options={"agent_namespaces": AGENT_NAMESPACES},
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Containers without a profile."""
    yield from in_containers(resource, _judge, agents=options["agent_namespaces"])


def _judge(container: Part) -> Iterator[Judgement]:
    path = f"{container.path}.securityContext.seccompProfile.type"
    profile = container.security("seccompProfile.type")
    if profile is UNKNOWN:
        yield Undecided(path)
    elif profile not in ("RuntimeDefault", "Localhost"):
        yield Finding(path, f"{container.name!r} runs {profile or 'Unconfined, as nothing is said'}")
