"""Whether a role's trust policy lets an AWS service assume the role: conditions count, and Deny wins.

Whether it lets a user or a role do so, `decision` reports, which weighs the caller's own policies too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from twin.aws.iam import policy_statements
from twin.aws.iam.policy_statements import Context, Document

ASSUME: Final = "sts:AssumeRole"
TAG: Final = "sts:TagSession"


def lets(role: Any, service: str, context: Context | None, actions: Iterable[str] = (ASSUME,)) -> bool:
    """Whether a service (`glue.amazonaws.com`) may do all of these with moto's role.

    context: what the service reports of the request (`aws:SourceAccount`, `aws:RequestTag/...`); a condition
    on what it does not report is not met. None where there is no request yet, as a service checks the policy
    of a role that it is given: then an Allow counts whatever its conditions, and a Deny only without any.
    """
    try:
        statements = policy_statements.statements(role.assume_role_policy_document)
    except ValueError:
        return False
    return all(_allows(statements, service, action, role.arn, context) for action in actions)


def _allows(
    statements: Iterable[Document], service: str, action: str, arn: str, context: Context | None
) -> bool:
    allowed = False
    for statement in statements:
        denies = statement.get("Effect") == "Deny"
        if context is None:
            if denies and statement.get("Condition"):
                continue
            statement = {name: values for name, values in statement.items() if name != "Condition"}
        if not policy_statements.applies(statement, action, arn, context or {}):
            continue
        if denies and _speaks_of(statement, service):
            return False
        allowed = allowed or (
            statement.get("Effect") == "Allow" and service in policy_statements.services(statement)
        )
    return allowed


def _speaks_of(statement: Document, service: str) -> bool:
    """Whether a Deny reaches a service; `*` is everybody (IAM user guide, "AWS JSON policy elements:
    Principal")."""
    if "NotPrincipal" in statement:
        return service not in policy_statements.services(statement, "NotPrincipal")
    return service in policy_statements.services(statement) or "*" in policy_statements.principals(statement)
