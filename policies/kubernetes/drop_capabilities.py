"""Containers drop all capabilities that they do not name, and gain none."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Options, Outcome, Policy, Resource, Violation, any_of, check_each
from ..framework.pod_search import Container, Context
from ..framework.pods import AGENT_NAMESPACES, WORKLOADS, check_containers, check_contexts

POLICY = Policy(
    title="Capabilities are dropped",
    severity="medium",
    description="A runtime gives every container a dozen capabilities, including NET_RAW, and allows a "
    "set-uid program to gain more. Most workloads need none.",
    remediation="Set `capabilities: {drop: [ALL]}` and `allowPrivilegeEscalation: false` in the container's "
    "securityContext.",
    frameworks=("CIS EKS 4.2.5", "CIS Kubernetes 5.2.6", "CIS Kubernetes 5.2.8", "NIST 800-53 CM-7"),
    options={"agent_namespaces": AGENT_NAMESPACES},
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Containers that keep or may gain capabilities."""
    namespaces = options["agent_namespaces"]
    yield from check_containers(resource, _check, agent_namespaces=namespaces, complete=True)
    yield from check_contexts(resource, _check_explicit, agent_namespaces=namespaces, partial=True)


def _check_explicit(context: Context) -> Iterator[Outcome]:
    path = "allowPrivilegeEscalation"
    if context.known(path) is True:
        yield Violation(context.where(path), f"{context.name!r} may gain more privileges than it starts with")


def _check(container: Container) -> Iterator[Outcome]:
    yield from check_each([container], _check_dropped)
    path = "securityContext.allowPrivilegeEscalation"
    if container.known(path) is not False:
        yield Violation(
            container.where(path), f"{container.name!r} may gain more privileges than it starts with"
        )


def _check_dropped(container: Container) -> Iterator[Outcome]:
    path = "securityContext.capabilities.drop"
    if not any_of(container.entries(path), lambda entry: entry.known() == "ALL"):
        dropped = container.known(path) or "nothing"
        yield Violation(container.where(path), f"{container.name!r} drops {dropped}, not ALL")
