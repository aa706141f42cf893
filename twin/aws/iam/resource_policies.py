"""Policies that stand on resources: their principals exist, their actions are the service's own."""

from __future__ import annotations

import json
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import policy_statements
from twin.aws.iam.policy_statements import as_list
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_NARROW: Final = ("aws:principalorg", "aws:source", "aws:principal", "aws:userid")
"""Condition keys that make a policy for everybody one for someone, by how they begin."""


def statements(text: Any, code: str) -> list[Params]:
    """A policy's statements. Refused with the code where the text is no policy."""
    try:
        statements: Any = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(code, "This resource policy contains invalid Json") from None
    return statements if isinstance(statements, list) else [statements]


def check(text: Any, state: MotoState, service: str, code: str) -> list[Params]:
    """A policy that a service takes; its statements.

    service: the prefix of its actions (`secretsmanager`). code: of the refusal.
    """
    statements_ = statements(text, code)
    for statement in statements_:
        for action in as_list(statement.get("Action") or statement.get("NotAction")):
            if action != "*" and not action.lower().startswith(f"{service}:"):
                raise Refusal(code, f"This resource policy contains an action of another service: {action}")
        for principal in state.unknown_principals(principals(statement)):
            raise Refusal(code, f"This resource policy contains an unsupported principal: {principal}")
    return statements_


def public(statements: list[Params]) -> bool:
    """Whether a statement lets everybody in, and no condition narrows it."""
    for statement in statements:
        if statement.get("Effect") == "Allow" and "*" in principals(statement):
            keys = [key.lower() for keys in (statement.get("Condition") or {}).values() for key in keys]
            if not any(key.startswith(_NARROW) for key in keys):
                return True
    return False


def lets(statements: list[Params], service: str, action: str) -> bool:
    """Whether a statement lets an AWS service (`secretsmanager.amazonaws.com`) take an action."""
    for statement in statements:
        principal: Any = statement.get("Principal")
        named = as_list(principal.get("Service")) if isinstance(principal, dict) else as_list(principal)
        actions = [pattern.lower() for pattern in as_list(statement.get("Action"))]
        allowed = (
            action.lower() in actions or f"{action.lower().split(':')[0]}:*" in actions or "*" in actions
        )
        if statement.get("Effect") == "Allow" and (service in named or "*" in named) and allowed:
            return True
    return False


def principals(statement: Params) -> list[str]:
    """The accounts, roles and users that a statement names, or `*`."""
    elements = ("Principal", "NotPrincipal")
    return [name for element in elements for name in policy_statements.principals(statement, element)]
