"""Traffic in a namespace is denied unless a policy allows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..framework import UNKNOWN, Deferred, Entry, Outcome, Policy, Resource, Stack, Violation, check_each
from ..framework.ingress import is_internet

POLICY = Policy(
    title="Namespaces deny by default",
    severity="high",
    description="Without a NetworkPolicy every pod of the cluster can connect to every other one and to the "
    "internet: a vulnerability in one workload affects all. A policy that selects every pod and allows "
    "nothing changes the default.",
    remediation="Give the namespace a NetworkPolicy with `podSelector: {}`, `policyTypes: [Ingress, "
    "Egress]` and no rule, and one more for each connection that is needed.",
    frameworks=("CIS EKS 4.3.2", "CIS Kubernetes 5.3.2", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)

_DIRECTIONS = ("Ingress", "Egress")


@POLICY.on_stack
def rule(stack: Stack) -> Iterator[Outcome]:
    """Namespaces without a policy that denies."""
    policies = stack.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    yield from check_each(stack.of("kubernetes:core/v1:Namespace"), _check_namespace, policies)


def _check_namespace(namespace: Resource, policies: Sequence[Resource]) -> Iterator[Outcome]:
    denied: set[str] = set()
    deferred: Deferred | None = None
    for policy in policies:
        try:
            if _is_in(policy, namespace):
                denied |= set(_denied_directions(policy))
        except Deferred:
            deferred = Deferred(f"{policy.name}.spec")
    missing = [direction for direction in _DIRECTIONS if direction not in denied]
    if missing and deferred is not None:
        yield deferred
    elif missing:
        yield Violation("metadata.name", f"no NetworkPolicy denies {' and '.join(missing)} to all pods")


def _is_in(policy: Resource, namespace: Resource) -> bool:
    if any(namespace.urn in urns for urns in policy.property_dependencies.values()):
        return True
    if policy.raw("metadata.namespace") is UNKNOWN and policy.sources("metadata"):
        return False  # It is that of another resource.
    return (policy.known("metadata.namespace") or "default") == namespace.known("metadata.name")


def _denied_directions(policy: Resource) -> Iterator[str]:
    """Yield the directions in which a policy selects all pods and does not allow everything: what it does not
    list (such as DNS for all pods) is denied."""
    policy.fully_known("spec")
    selector: Any = policy.known("spec.podSelector") or {}
    if policy.known("spec") is None or any(selector.values()):
        return
    # The API server fills in the default.
    egress = ["Egress"] if policy.known("spec.egress") else []
    for direction in policy.known("spec.policyTypes") or ["Ingress", *egress]:
        if not any(map(_allows_everything, policy.entries(f"spec.{direction.lower()}"))):
            yield direction


def _allows_everything(rule: Entry) -> bool:
    """Return whether a rule has no ports, and either no peers or one that is everything."""
    peers = [*rule.entries("from"), *rule.entries("to")]
    return not rule.known("ports") and (not peers or any(map(_is_everything, peers)))


def _is_everything(peer: Entry) -> bool:
    namespaces = peer.known("namespaceSelector")
    every_namespace = namespaces is not None and not any(peer.mapping("namespaceSelector").values())
    every_pod = not any(peer.mapping("podSelector").values())
    return is_internet(peer.known("ipBlock.cidr")) or (every_namespace and every_pod)
