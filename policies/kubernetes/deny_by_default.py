"""Traffic in a namespace is denied unless a policy allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..framework import (
    UNKNOWN,
    Deferred,
    Entry,
    Outcome,
    Policy,
    Resource,
    Stack,
    Violation,
    any_of,
    check_each,
)
from ..framework.ingress import is_internet

POLICY = Policy(
    title="Namespaces deny by default",
    severity="high",
    description="Without a NetworkPolicy every pod of the cluster can connect to every other one and to the "
    "internet: a vulnerability in one workload affects all. A policy that selects every pod and allows "
    "nothing changes the default. Policies add up: one that allows all traffic cancels it.",
    remediation="Give the namespace a NetworkPolicy with `podSelector: {}`, `policyTypes: [Ingress, "
    "Egress]` and no rule, and one more for each connection that is needed, with peers or ports.",
    frameworks=("CIS EKS 4.3.2", "CIS Kubernetes 5.3.2", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)

_DIRECTIONS = ("Ingress", "Egress")
_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_LAST_PORT = 65535


@POLICY.on_stack
def rule(stack: Stack) -> Iterator[Outcome]:
    """Namespaces without a policy that denies."""
    policies = stack.of(_POLICY)
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
    for direction in _types(policy):
        if not any(map(_allows_everything, policy.entries(f"spec.{direction.lower()}"))):
            yield direction


def _types(policy: Resource) -> Sequence[str]:
    """Return the directions that a policy is about; the API server fills in the default."""
    egress = ["Egress"] if policy.known("spec.egress") else []
    return policy.fully_known("spec.policyTypes") or ["Ingress", *egress]


@POLICY.on(_POLICY, f"{_POLICY}Patch")
def on_policies(resource: Resource) -> Iterator[Outcome]:
    """Policies that allow all traffic. For some pods, such as those of a collector of metrics, all pods of
    the cluster are a peer like others."""
    is_open = _is_outside if _selects_some(resource) else _is_everything
    for direction in _types(resource):
        rules = resource.entries(f"spec.{str(direction).lower()}")
        yield from check_each(rules, _check_rule, direction, is_open)


def _selects_some(policy: Resource) -> bool:
    selector: Any = policy.fully_known("spec.podSelector") or {}
    return any(selector.values())


def _check_rule(rule: Entry, direction: str, is_open: Callable[[Entry], bool]) -> Iterator[Outcome]:
    if _allows_everything(rule, is_open):
        where = "from everywhere" if direction == "Ingress" else "to everywhere"
        yield Violation(rule.path, f"allows all traffic {where}: it limits neither peers nor ports")


def _allows_everything(rule: Entry, is_open: Callable[[Entry], bool] | None = None) -> bool:
    """Return whether a rule limits neither ports nor peers."""
    peers = [*rule.entries("from"), *rule.entries("to")]
    if peers and not any_of(peers, is_open or _is_everything):
        return False
    ports = list(rule.entries("ports"))
    return not ports or any_of(ports, _is_every_port)


def _is_every_port(port: Entry) -> bool:
    """Return whether an entry allows every port of its protocol: without a port, or with a range of all."""
    first, last = port.known("port"), port.known("endPort")
    return first is None or (first in (0, 1) and last == _LAST_PORT)


def _is_outside(peer: Entry) -> bool:
    return peer.known() == {} or is_internet(peer.known("ipBlock.cidr"))


def _is_everything(peer: Entry) -> bool:
    namespaces = peer.known("namespaceSelector")
    every_namespace = namespaces is not None and not any(peer.mapping("namespaceSelector").values())
    every_pod = not any(peer.mapping("podSelector").values())
    return _is_outside(peer) or (every_namespace and every_pod)
