"""Containers keep no capability that they do not name, and gain none."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Options, Policy, Resource, Undecided, holds_unknown
from ..pack.pods import AGENT_NAMESPACES, WORKLOADS, Part, in_containers

POLICY = Policy(
    title="Capabilities are dropped",
    severity="medium",
    description="A runtime gives every container a dozen capabilities, NET_RAW among them, and lets a "
    "set-uid program gain more. Hardly anything needs one.",
    remediation="Set `capabilities: {drop: [ALL]}` and `allowPrivilegeEscalation: false` in the container's "
    "securityContext.",
    frameworks=("CIS EKS 4.2.5", "CIS Kubernetes 5.2.6", "CIS Kubernetes 5.2.8", "NIST 800-53 CM-7"),
    options={"agent_namespaces": AGENT_NAMESPACES},
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Containers that keep or may gain capabilities."""
    yield from in_containers(resource, _judge, agents=options["agent_namespaces"])


def _judge(container: Part) -> Iterator[Judgement]:
    yield from _keeps(container)
    yield from _gains(container)


def _keeps(container: Part) -> Iterator[Judgement]:
    path = f"{container.path}.securityContext.capabilities.drop"
    dropped = container.get("securityContext.capabilities.drop")
    if dropped is not UNKNOWN and "ALL" in (dropped or ()):
        return
    if holds_unknown(dropped):
        yield Undecided(path)
    else:
        yield Finding(path, f"{container.name!r} drops {dropped or 'nothing'}, not ALL")


def _gains(container: Part) -> Iterator[Judgement]:
    path = f"{container.path}.securityContext.allowPrivilegeEscalation"
    may = container.get("securityContext.allowPrivilegeEscalation")
    if may is UNKNOWN:
        yield Undecided(path)
    elif may is not False:
        yield Finding(path, f"{container.name!r} may gain more privileges than it starts with")
