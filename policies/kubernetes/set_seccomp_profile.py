"""Containers have a seccomp profile."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Options, Outcome, Policy, Resource, Violation
from ..framework.pods import AGENT_NAMESPACES, WORKLOADS, Container, check_containers

POLICY = Policy(
    title="A seccomp profile is set",
    severity="medium",
    description="Without a profile a container may use every system call, and most vulnerabilities of the "
    "kernel are in rare ones, which RuntimeDefault refuses.",
    remediation="Set `securityContext.seccompProfile: {type: RuntimeDefault}` on the pod.",
    frameworks=("CIS Kubernetes 5.7.2", "NIST 800-53 CM-7"),
    options={"agent_namespaces": AGENT_NAMESPACES},
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Containers without a profile."""
    yield from check_containers(resource, _check, agent_namespaces=options["agent_namespaces"])


def _check(container: Container) -> Iterator[Outcome]:
    profile = container.security("seccompProfile.type")
    if profile not in ("RuntimeDefault", "Localhost"):
        path = container.where("securityContext.seccompProfile.type")
        yield Violation(path, f"{container.name!r} runs {profile or 'Unconfined, the default'}")
