"""The role of this account that a service is given, if it can assume it."""

from __future__ import annotations

from typing import Any

from twin.aws.iam import trust
from twin.aws.validation.moto_state import MotoState


def by(service: str, arn: str, state: MotoState, **context: str) -> Any | None:
    """The role of this account if the service (`glue.amazonaws.com`) may assume it, or None."""
    reported = {"aws:SourceAccount": state.account, **context}
    return next(
        (role for role in state.roles() if role.arn == arn and trust.lets(role, service, reported)), None
    )
