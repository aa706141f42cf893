"""In a namespace nothing is reached that nobody has allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided, each, holds_unknown
from ..pack.openings import is_anywhere

POLICY = Policy(
    title="Namespaces deny by default",
    severity="high",
    description="Without a NetworkPolicy every pod of the cluster reaches every other, and the world: a "
    "hole in one workload is a hole in all. A policy that selects every pod and allows nothing turns it "
    "round.",
    remediation="Give the namespace a NetworkPolicy with `podSelector: {}`, `policyTypes: [Ingress, "
    "Egress]` and no rule, and one more for each way that is needed.",
    frameworks=("CIS EKS 4.3.2", "CIS Kubernetes 5.3.2", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)

_DIRECTIONS = ("Ingress", "Egress")


@POLICY.on_stack
def rule(stack: Stack) -> Iterator[Judgement]:
    """Namespaces without a policy that denies."""
    policies = stack.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    for namespace in stack.of("kubernetes:core/v1:Namespace"):
        own = [policy for policy in policies if _is_in(policy, namespace)]
        denied = {direction for policy in own for direction in _denied(policy)}
        left = [direction for direction in _DIRECTIONS if direction not in denied]
        unsure = [policy for policy in policies if _may_deny(policy, namespace)]
        if left and unsure:
            yield Undecided(f"{unsure[0].name}.spec")
        elif left:
            yield Finding(
                "metadata.name", f"no NetworkPolicy denies {' and '.join(left)} to all pods", namespace
            )


def _is_in(policy: Resource, namespace: Resource) -> bool:
    said = policy.get("metadata.namespace")
    if said is UNKNOWN or namespace.get("metadata.name") is UNKNOWN:
        return any(namespace.urn in urns for urns in policy.property_dependencies.values())
    return (said or "default") == namespace.get("metadata.name")


def _denied(policy: Resource) -> Iterator[str]:
    """The directions in which it selects all pods and does not allow everything: what it does not name, DNS
    for all pods it may be, is denied."""
    spec: Any = policy.get("spec")
    if spec is UNKNOWN or holds_unknown(spec) or not isinstance(spec, dict):
        return
    selector: Any = policy.get("spec.podSelector") or {}
    if any(selector.values()):
        return
    # As the API server fills it in.
    types = policy.get("spec.policyTypes") or ["Ingress", *(["Egress"] if policy.get("spec.egress") else [])]
    for direction in types:
        rules = policy.get(f"spec.{direction.lower()}")
        if not any(_allows_all(rule) for _, rule in each(rules)):
            yield direction


def _allows_all(rule: Mapping[str, Any]) -> bool:
    """Whether a rule has no ports, and no peers or one that is everybody."""
    peers = rule.get("from") or rule.get("to")
    return not rule.get("ports") and (not peers or any(_is_everybody(peer) for _, peer in each(peers)))


def _is_everybody(peer: Mapping[str, Any]) -> bool:
    block = cast("Mapping[str, Any]", peer.get("ipBlock") or {})
    spaces, pods = peer.get("namespaceSelector"), cast("Mapping[str, Any]", peer.get("podSelector") or {})
    every_space = isinstance(spaces, Mapping) and not any(cast("Mapping[str, Any]", spaces).values())
    return is_anywhere(block.get("cidr")) or (every_space and not any(pods.values()))


def _may_deny(policy: Resource, namespace: Resource) -> bool:
    """Whether it could be the one, were it known."""
    somewhere = policy.get("metadata.namespace") is UNKNOWN or namespace.get("metadata.name") is UNKNOWN
    return (somewhere or _is_in(policy, namespace)) and (
        somewhere or holds_unknown(policy.get("spec")) or policy.get("spec") is UNKNOWN
    )
