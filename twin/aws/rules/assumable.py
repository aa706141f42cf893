"""Whether a service can assume a role, by the role's trust policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twin.aws import policy
from twin.aws.rules.look import Look


def by(service: str, arn: str, look: Look, **context: str) -> Any | None:
    """The role of this account if the service (`glue.amazonaws.com`) may assume it, or None."""
    for role in look.roles():
        if role.arn == arn:
            document = role.assume_role_policy_document
            trust = json.loads(document) if isinstance(document, str) else document
            return (
                role if _trusts(trust, service, arn, {"aws:SourceAccount": look.account, **context}) else None
            )
    return None


def _trusts(trust: Mapping[str, Any], service: str, arn: str, context: Mapping[str, str]) -> bool:
    statements = trust.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal: Any = statement.get("Principal") or {}
        named = principal.get("Service") or [] if isinstance(principal, dict) else []
        if service in ([named] if isinstance(named, str) else named) and (
            statement.get("Effect") == "Allow" and policy.applies(statement, "sts:AssumeRole", arn, context)
        ):
            return True
    return False
