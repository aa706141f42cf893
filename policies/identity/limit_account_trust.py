"""A role trusts somebody, and not an account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..pack import Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import is_undecided, narrowing, principals
from ..pack.statements import Statement, statements

POLICY = Policy(
    title="Trust names identities or a shared secret",
    severity="medium",
    description="A role that trusts `arn:aws:iam::ACCOUNT:root` trusts all in that account who may assume "
    "roles, and if the account is a vendor's, all of the vendor's customers who know the "
    "role's name.",
    remediation="Name the role that may become this one, or add a condition on aws:PrincipalArn or "
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
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Roles that trust all of an account."""
    for statement in statements(resource, "assumeRolePolicy"):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows and not any(True for _ in narrowing(statement, *_LIMITS)):
            yield from _judged(statement)


def _judged(statement: Statement) -> Iterator[Judgement]:
    for path, kind, who in principals(statement):
        if kind == "AWS" and isinstance(who, str) and (who.isdigit() or who.endswith(":root")):
            if is_undecided(statement):
                yield Undecided(f"{statement.path}.Condition")
            else:
                yield Finding(path, f"trusts everybody in {who!r} who may assume roles")
