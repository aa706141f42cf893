"""Secrets Manager: names, keys, owners, policies.

Sources: the API Reference of CreateSecret, PutSecretValue, DeleteSecret and PutResourcePolicy;
"Managed rotation" and "Secrets managed by other AWS services" in the User Guide.
"""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import resource_policies
from twin.aws.validation.moto_state import MotoState, absent

Params = dict[str, Any]

_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_BYTES: Final = 65536
_STAGES: Final = 20
"""Staging labels that one version may carry."""


def create(params: Params, state: MotoState) -> None:
    """CreateSecret."""
    name = str(params.get("Name"))
    if not _NAME.fullmatch(name):
        raise Refusal(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: "
            "-/_+=.@!",
        )
    secret = _secrets(state).get(name)
    if secret is not None:
        if secret.is_deleted():
            raise Refusal(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for "
                "deletion.",
            )
        raise Refusal(
            "ResourceExistsException",
            f"The operation failed because the secret {name} already exists.",
        )
    _value(params)
    _key(params, state)


def update(params: Params, state: MotoState) -> None:
    """UpdateSecret."""
    _unmanaged(params, state)
    _value(params)
    _key(params, state)


def put(params: Params, state: MotoState) -> None:
    """PutSecretValue: one of text and bytes, of a secret of the account's own."""
    existing = _unmanaged(params, state)
    if ("SecretString" in params) == ("SecretBinary" in params):
        raise Refusal("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
    _value(params)
    if len(params.get("VersionStages") or []) > _STAGES:
        raise Refusal("LimitExceededException", f"A version has at most {_STAGES} staging labels.")
    _key({"KmsKeyId": existing.kms_key_id}, state)


def delete(params: Params, state: MotoState) -> None:
    """DeleteSecret: one that a service made stays with it."""
    _unmanaged(params, state)


def _value(params: Params) -> None:
    if "SecretString" in params and "SecretBinary" in params:
        raise Refusal(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value.",
        )
    text = params.get("SecretString")
    if text is not None and len(text.encode()) > _BYTES:
        raise Refusal("InvalidParameterException", f"A secret's value has at most {_BYTES} bytes.")


def _key(params: Params, state: MotoState) -> None:
    named = params.get("KmsKeyId")
    if not named or str(named).endswith("alias/aws/secretsmanager"):
        return
    key = state.key(named)
    if key is None or not key.enabled:
        raise Refusal(
            "EncryptionFailure",
            "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that "
            "the "
            f"KMS key is available, enabled, and not in an invalid state: {named}",
        )


def policy(params: Params, state: MotoState) -> None:
    """PutResourcePolicy."""
    secret(state, params.get("SecretId"))
    resource_policy = resource_policies.check(
        params.get("ResourcePolicy"), state, "secretsmanager", "MalformedPolicyDocumentException"
    )
    if params.get("BlockPublicPolicy") and resource_policies.public(resource_policy):
        raise Refusal(
            "PublicPolicyException",
            "BlockPublicPolicy is set to true and the resource policy did not prevent broad access to the "
            "secret.",
        )


def secret(state: MotoState, named: Any) -> Any:
    """A secret by name or arn, or the refusal."""
    for name, secret in _secrets(state).items():
        if named in (name, secret.arn) or str(named) == secret.arn.rpartition("-")[0]:
            return secret
    raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def _unmanaged(params: Params, state: MotoState) -> Any:
    existing = secret(state, params.get("SecretId"))
    if existing.owning_service:
        raise Refusal(
            "InvalidRequestException",
            f"You can't modify or delete this secret: it is managed by {existing.owning_service}.",
        )
    return existing


def _secrets(state: MotoState) -> Any:
    return state.moto.backend("secretsmanager", state.region).secrets


RULES: Final = {
    "RotateSecret": absent("rotation of secrets"),
    "CreateSecret": create,
    "UpdateSecret": update,
    "PutSecretValue": put,
    "DeleteSecret": delete,
    "PutResourcePolicy": policy,
}
