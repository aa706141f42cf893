"""Containers cannot change their image."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Options, Outcome, Policy, Resource, Violation
from ..framework.pod_search import Container, Context
from ..framework.pods import AGENT_NAMESPACES, WORKLOADS, check_containers, check_contexts

POLICY = Policy(
    title="Root file systems are read-only",
    severity="low",
    description="An attacker who controls a container writes tools into it first. Files that must be written "
    "belong into an emptyDir with a limit, which also protects the node's disk.",
    remediation="Set `securityContext.readOnlyRootFilesystem: true`, and mount an emptyDir where it writes.",
    frameworks=("NIST 800-53 CM-5", "NIST 800-53 SI-7"),
    options={"agent_namespaces": AGENT_NAMESPACES},
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Containers with a writable root file system."""
    namespaces = options["agent_namespaces"]
    yield from check_containers(resource, _check, agent_namespaces=namespaces, complete=True)
    yield from check_contexts(resource, _check_explicit, agent_namespaces=namespaces, partial=True)


def _check_explicit(context: Context) -> Iterator[Outcome]:
    path = "readOnlyRootFilesystem"
    if context.known(path) is False:
        yield Violation(context.where(path), f"{context.name!r} can write to its image")


def _check(container: Container) -> Iterator[Outcome]:
    path = "securityContext.readOnlyRootFilesystem"
    if not container.known(path):
        yield Violation(container.where(path), f"{container.name!r} can write to its image")
