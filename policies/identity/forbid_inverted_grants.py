"""Statements list what they allow."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, check_each
from ..framework.policy_documents import (
    IDENTITY_POLICIES,
    RESOURCE_POLICIES,
    Statement,
    allowed_statements,
)

POLICY = Policy(
    title="No permissions by exclusion",
    severity="high",
    description="An Allow with NotAction, NotResource or NotPrincipal allows everything except what it "
    "lists, including future services, resources and people. Such lists belong into a Deny.",
    remediation="List the allowed actions, resources or principals, or make the statement a Deny.",
    frameworks=("NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_INVERTED = ("NotAction", "NotResource", "NotPrincipal")


@POLICY.on(*IDENTITY_POLICIES)
def on_identities(resource: Resource) -> Iterator[Outcome]:
    """Identity-based policies."""
    yield from check_each(allowed_statements(resource), _check)


@POLICY.on(*RESOURCE_POLICIES)
def on_resources(resource: Resource) -> Iterator[Outcome]:
    """Resource-based policies and trust policies."""
    yield from check_each(allowed_statements(resource, RESOURCE_POLICIES[resource.type]), _check)


def _check(statement: Statement) -> Iterator[Outcome]:
    for key in _INVERTED:
        excluded = statement.raw(key)
        if excluded is not None:
            yield Violation(statement.where(key), f"allows everything except {excluded!r}")
