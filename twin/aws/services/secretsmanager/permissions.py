"""The rights on a secret that a call needs: by identity or by the secret's own policy, and on its key.

Secrets Manager user guide, "Authentication and access control" and "Secret encryption and decryption".
"""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Call, Refusal
from twin.aws.iam.policy_evaluation import AuthorizationRequest
from twin.aws.services.kms import permissions as kms
from twin.aws.services.secretsmanager.validation import secret
from twin.aws.validation.moto_state import MotoState

_ON_KEY: Final = {
    "GetSecretValue": ("kms:Decrypt",),
    "PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    "UpdateSecret": ("kms:GenerateDataKey", "kms:Decrypt"),
}


def requests(call: Call, moto: Any) -> list[AuthorizationRequest]:
    """All rights that a call on one secret needs."""
    action = f"secretsmanager:{call.operation}"
    try:
        existing = secret(MotoState(moto, call.region), call.params["SecretId"])
    except Refusal:
        # Who can not ask is not reported that there is none.
        return [AuthorizationRequest(action, None, {})]
    authorizations = [AuthorizationRequest(action, existing.arn, {}, existing.policy)]
    for on_key in _ON_KEY.get(call.operation, ()):
        context = {"kms:EncryptionContext:SecretARN": existing.arn}
        authorizations += kms.by_service(
            moto, call.region, "secretsmanager", on_key, existing.kms_key_id, context
        )
    return authorizations
