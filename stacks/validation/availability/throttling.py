"""Refusals of a cloud because too many calls were made, which state nothing about an environment's file."""

from __future__ import annotations

from typing import Final

# EC2's code, those of other AWS APIs (docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html),
# and Google's reason, status and HTTP status (cloud.google.com/compute/api-quota).
_SIGNS: Final = (
    "RequestLimitExceeded",
    "Throttling",
    "TooManyRequestsException",
    "rateLimitExceeded",
    "RATE_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "Error 429",
)


def is_throttled(error: Exception) -> bool:
    """Return whether the cloud refused a call because too many were made."""
    return any(sign in str(error) for sign in _SIGNS)


def words(error: Exception) -> str:
    """Return the message of a throttled call for the user, in one line."""
    return (
        "the cloud refused a call of the checks before the update, since too many calls were made to it: "
        f"{' '.join(str(error).split())}. Nothing was created, and the environment's file is not the cause; "
        "expected to succeed a minute later: run the same command again"
    )
