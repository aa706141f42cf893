"""Containers request resources, and have a memory limit."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, check_each
from ..framework.pod_search import Container
from ..framework.pods import WORKLOADS, check_containers

POLICY = Policy(
    title="Resources are requested and memory limited",
    severity="medium",
    description="A pod without requests is scheduled on a node without capacity and evicted first; a pod "
    "without a memory limit also fails its neighbors. A CPU limit is the owner's decision: it throttles.",
    remediation="Set `resources.requests.cpu`, `resources.requests.memory` and `resources.limits.memory`.",
    frameworks=("NIST 800-53 SC-6", "SOC 2 A1.1"),
)

# The first of these paths is reported where none is set. A limit without a request is also a request.
_REQUIRED = (
    ("resources.requests.cpu", "resources.limits.cpu"),
    ("resources.requests.memory", "resources.limits.memory"),
    ("resources.limits.memory",),
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Containers without requests or a memory limit."""
    # A runtime of Kubeflow or KServe is a template: the job or the service that uses it states the resources.
    if not resource.type.endswith("Runtime"):
        yield from check_containers(resource, _check, complete=True)


def _check(container: Container) -> Iterator[Outcome]:
    yield from check_each(_REQUIRED, _check_set, container)


def _check_set(paths: tuple[str, ...], container: Container) -> Iterator[Outcome]:
    if all(container.known(path) is None for path in paths):
        _, key, kind = paths[0].split(".")
        yield Violation(container.where(paths[0]), f"{container.name!r} has no {kind} in its {key}")
