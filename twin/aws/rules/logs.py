"""CloudWatch Logs."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.call import Refusal
from twin.aws.rules.look import Look

Params = dict[str, Any]
RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def create_group(params: Params, look: Look) -> None:
    """CreateLogGroup: a key of one's own must exist."""
    key = params.get("kmsKeyId")
    if key and look.key(key) is None:
        raise Refusal(
            "InvalidParameterException",
            f"The specified KMS key does not exist or is not allowed to be used with Arn '{key}'",
        )


def retention(params: Params, _: Look) -> None:
    """PutRetentionPolicy: one of the published numbers of days."""
    days = params.get("retentionInDays")
    if days not in RETENTION_DAYS:
        raise Refusal(
            "InvalidParameterException",
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed "
            f"to satisfy constraint: Member must "
            f"satisfy enum value set: {list(RETENTION_DAYS)}",
        )


RULES: Final = {
    "CreateLogGroup": create_group,
    "AssociateKmsKey": create_group,
    "PutRetentionPolicy": retention,
}
