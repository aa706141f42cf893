"""Policies that stand on resources: their principals exist, their actions are the service's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from twin.aws.api_server.request import Refusal
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
    known = {role.arn for role in [*state.roles(), *state.iam.users.values()]}
    for statement in statements_:
        for action in as_list(statement.get("Action") or statement.get("NotAction")):
            if action != "*" and not action.lower().startswith(f"{service}:"):
                raise Refusal(code, f"This resource policy contains an action of another service: {action}")
        for principal in principals(statement):
            parts = principal.split(":")
            same_account = len(parts) == 6 and parts[2] == "iam" and parts[4] == state.account
            if same_account and parts[5] != "root" and principal not in known:
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

    def named() -> Iterator[str]:
        for member in ("Principal", "NotPrincipal"):
            principal: Any = statement.get(member)
            if isinstance(principal, str):
                yield principal
            elif principal:
                yield from map(str, as_list(principal.get("AWS")))

    return list(named())


def as_list(value: Any) -> list[Any]:
    """A list of what IAM lets stand alone or in a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
