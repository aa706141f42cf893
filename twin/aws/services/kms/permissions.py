"""The rights on a KMS key that a call needs: its policy decides, alone or by letting the account's IAM do so.

KMS developer guide, "Key policies in AWS KMS".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.aws.iam.policy_evaluation import AuthorizationRequest
from twin.aws.validation.moto_state import MotoState


def by_service(
    moto: Any, region: str, service: str, action: str, named: str | None, context: Mapping[str, str]
) -> list[AuthorizationRequest]:
    """The right that a service (`s3`) needs on a key in its caller's name; none for a key of AWS's own."""
    via = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
    return on_key(moto, region, action, named, {**via, **context})


def on_key(
    moto: Any, region: str, action: str, named: str | None, context: Mapping[str, str]
) -> list[AuthorizationRequest]:
    """The right on a key, by its id, arn or alias."""
    key: Any = MotoState(moto, region).key(named) if named else None
    if key is None or getattr(key, "key_manager", "") == "AWS":
        return []
    reported = {"kms:CallerAccount": moto.account, **context}
    return [AuthorizationRequest(action, key.arn, reported, key.policy, decisive=True)]
