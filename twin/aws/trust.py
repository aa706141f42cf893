"""Whether a role's trust policy lets an AWS service assume the role: conditions count, and Deny wins.

Whether it lets a user or a role do so, `decision` tells, which weighs the caller's own policies too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from twin.aws import policy
from twin.aws.policy import Context, Document

ASSUME: Final = "sts:AssumeRole"
TAG: Final = "sts:TagSession"


def lets(role: Any, service: str, context: Context, actions: Iterable[str] = (ASSUME,)) -> bool:
    """Whether a service (`glue.amazonaws.com`) may do all of these with moto's role.

    context: what the service tells of the request (`aws:SourceAccount`, `aws:RequestTag/...`); a condition on
    what it does not tell is not met.
    """
    try:
        statements = policy.statements(role.assume_role_policy_document)
    except ValueError:
        return False
    return all(_allows(statements, service, action, role.arn, context) for action in actions)


def _allows(statements: Iterable[Document], service: str, action: str, arn: str, context: Context) -> bool:
    allowed = False
    for statement in statements:
        if not policy.applies(statement, action, arn, context):
            continue
        if statement.get("Effect") == "Deny" and _speaks_of(statement, service):
            return False
        allowed = allowed or (statement.get("Effect") == "Allow" and service in policy.services(statement))
    return allowed


def _speaks_of(statement: Document, service: str) -> bool:
    """Whether a Deny reaches a service; `*` is everybody (IAM user guide, "AWS JSON policy elements:
    Principal")."""
    if "NotPrincipal" in statement:
        excluded: Any = statement["NotPrincipal"]
        return service not in _listed(excluded.get("Service") if isinstance(excluded, Mapping) else None)
    return service in policy.services(statement) or "*" in policy.principals(statement)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
