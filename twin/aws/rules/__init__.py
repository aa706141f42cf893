"""What AWS refuses and moto accepts, and the few operations that moto lacks."""

from __future__ import annotations

from typing import Any

from twin.aws.call import Answer, Call


def check(call: Call, front: Any) -> None:
    """Raise the Refusal that AWS would answer."""


def extension(call: Call, moto: Any) -> Answer | None:
    """The answer to an operation that moto does not have."""
    return None
