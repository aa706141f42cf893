"""EKS's refusals, by its own codes."""

from __future__ import annotations

from twin.aws.call import Refusal


def invalid(message: str, **members: str) -> Refusal:
    """A parameter that EKS does not take."""
    return Refusal("InvalidParameterException", message, 400, **members)


def invalid_request(message: str, **members: str) -> Refusal:
    """A request that does not fit the state of things."""
    return Refusal("InvalidRequestException", message, 400, **members)


def in_use(message: str, **members: str) -> Refusal:
    """It exists, or something depends on it."""
    return Refusal("ResourceInUseException", message, 409, **members)


def not_found(message: str, **members: str) -> Refusal:
    """There is no such thing."""
    return Refusal("ResourceNotFoundException", message, 404, **members)
