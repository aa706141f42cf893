"""Containers have a seccomp profile."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Options, Outcome, Policy, Resource, Violation
from ..framework.pod_search import Container, Context
from ..framework.pods import AGENT_NAMESPACES, WORKLOADS, check_containers, check_contexts

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
    namespaces = options["agent_namespaces"]
    yield from check_containers(resource, _check, agent_namespaces=namespaces, complete=True)
    yield from check_contexts(resource, _check_explicit, agent_namespaces=namespaces, partial=True)


def _check_explicit(context: Context) -> Iterator[Outcome]:
    path = "seccompProfile.type"
    if context.known(path) == "Unconfined":
        yield Violation(context.where(path), f"{context.name!r} runs Unconfined")


def _check(container: Container) -> Iterator[Outcome]:
    profile = container.security("seccompProfile.type")
    if profile not in ("RuntimeDefault", "Localhost"):
        path = container.where("securityContext.seccompProfile.type")
        yield Violation(path, f"{container.name!r} runs {profile or 'Unconfined, the default'}")
