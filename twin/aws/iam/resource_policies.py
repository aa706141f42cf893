"""Policies that stand on resources: their principals exist, their actions are the service's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import Look

Params = dict[str, Any]

_NARROW: Final = ("aws:principalorg", "aws:source", "aws:principal", "aws:userid")
"""Condition keys that make a policy for everybody one for someone, by how they begin."""


def statements(text: Any, code: str) -> list[Params]:
    """A policy's statements. Refused with the code where the text is no policy."""
    try:
        found: Any = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(code, "This resource policy contains invalid Json") from None
    return found if isinstance(found, list) else [found]


def check(text: Any, look: Look, service: str, code: str) -> list[Params]:
    """A policy that a service takes; its statements.

    service: the prefix of its actions (`secretsmanager`). code: of the refusal.
    """
    found = statements(text, code)
    known = {each.arn for each in [*look.roles(), *look.iam.users.values()]}
    for statement in found:
        for action in listed(statement.get("Action") or statement.get("NotAction")):
            if action != "*" and not action.lower().startswith(f"{service}:"):
                raise Refusal(code, f"This resource policy contains an action of another service: {action}")
        for principal in principals(statement):
            parts = principal.split(":")
            own = len(parts) == 6 and parts[2] == "iam" and parts[4] == look.account
            if own and parts[5] != "root" and principal not in known:
                raise Refusal(code, f"This resource policy contains an unsupported principal: {principal}")
    return found


def public(found: list[Params]) -> bool:
    """Whether a statement lets everybody in, and no condition narrows it."""
    for statement in found:
        if statement.get("Effect") == "Allow" and "*" in principals(statement):
            keys = [key.lower() for keys in (statement.get("Condition") or {}).values() for key in keys]
            if not any(key.startswith(_NARROW) for key in keys):
                return True
    return False


def lets(found: list[Params], service: str, action: str) -> bool:
    """Whether a statement lets an AWS service (`secretsmanager.amazonaws.com`) take an action."""
    for statement in found:
        given: Any = statement.get("Principal")
        named = listed(given.get("Service")) if isinstance(given, dict) else listed(given)
        actions = [each.lower() for each in listed(statement.get("Action"))]
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
            given: Any = statement.get(member)
            if isinstance(given, str):
                yield given
            elif given:
                yield from map(str, listed(given.get("AWS")))

    return list(named())


def listed(value: Any) -> list[Any]:
    """A list of what IAM lets stand alone or in a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
