"""Roles trust identities, not whole accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.policy_documents import Principal, Statement, allowed_statements

POLICY = Policy(
    title="Trust names identities or a shared secret",
    severity="medium",
    description="A role that trusts `arn:aws:iam::ACCOUNT:root` trusts every identity of that account that "
    "may assume roles. If the account belongs to a vendor, these are all customers of the vendor who know "
    "the name of the role.",
    remediation="Name the role that may assume this one, or add a condition on aws:PrincipalArn or "
    "sts:ExternalId.",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 AC-6", "SOC 2 CC6.1"),
)

_LIMITS: Final = (
    "aws:principalarn",
    "aws:principaltag/",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:multifactorauthpresent",
    "aws:sourceidentity",
    "sts:externalid",
    "sts:sourceidentity",
)


@POLICY.on("aws:iam/role:Role")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Roles that trust a whole account."""
    yield from check_each(allowed_statements(resource, "assumeRolePolicy"), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    if not statement.is_limited_by(*_LIMITS):
        yield from check_each(statement.principals, _check_principal, statement)


def _check_principal(principal: Principal, statement: Statement) -> Iterator[Outcome]:
    value = str(Entry(principal.path, principal.value).known())
    if principal.kind == "AWS" and (value.isdigit() or value.endswith(":root")):
        statement.require_known_conditions()
        yield Violation(principal.path, f"trusts every identity of {value!r} that may assume roles")
