"""Containers do not run as root."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Options, Outcome, Policy, Resource, Violation
from ..framework.pod_search import Container, Context
from ..framework.pods import AGENT_NAMESPACES, WORKLOADS, check_containers, check_contexts

POLICY = Policy(
    title="No root in containers",
    severity="high",
    description="Root in a container becomes root on the node with a vulnerability of the runtime or the "
    "kernel. With `runAsNonRoot` the kubelet refuses an image that would run as root.",
    remediation="Set `securityContext.runAsNonRoot: true` on the pod, and `runAsUser` where the image states "
    "its user by name.",
    frameworks=("CIS Kubernetes 5.2.7", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
    options={
        "agent_namespaces": AGENT_NAMESPACES,
    },
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Containers that run, or may run, as root."""
    namespaces = options["agent_namespaces"]
    yield from check_containers(resource, _check, agent_namespaces=namespaces, complete=True)
    yield from check_contexts(resource, _check_explicit, agent_namespaces=namespaces, partial=True)


def _check(container: Container) -> Iterator[Outcome]:
    user = container.security("runAsUser")
    if user == 0:
        yield Violation(
            container.where("securityContext.runAsUser"), f"{container.name!r} runs as root, user 0"
        )
    elif user is None and container.security("runAsNonRoot") is not True:
        yield Violation(
            container.where("securityContext.runAsNonRoot"),
            f"{container.name!r} runs as the user of its image, which may be root",
        )


def _check_explicit(context: Context) -> Iterator[Outcome]:
    if context.known("runAsUser") == 0:
        yield Violation(context.where("runAsUser"), f"{context.name!r} runs as root, user 0")
    elif context.known("runAsNonRoot") is False:
        yield Violation(context.where("runAsNonRoot"), f"{context.name!r} may run as root")
