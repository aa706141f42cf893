"""Secrets Manager: names, keys, owners, policies.

Sources: the API Reference of CreateSecret, PutSecretValue, DeleteSecret and PutResourcePolicy;
"Managed rotation" and "Secrets managed by other AWS services" in the User Guide.
"""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import resource_policies
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState, absent

Params = dict[str, Any]


def create(params: Params, state: MotoState) -> None:
    """CreateSecret."""
    name = str(params.get("Name"))
    secret = _secrets(state).get(name)
    if secret is not None and secret.is_deleted():
        raise Refusal(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    if secret is not None:
        raise Refusal(
            "ResourceExistsException",
            f"The operation failed because the secret {name} already exists.",
        )


def put(params: Params, state: MotoState) -> None:
    """PutSecretValue: of a secret of the account's own."""
    existing = _unmanaged(params, state)
    stated.check(__name__, "key", {"KmsKeyId": existing.kms_key_id}, state)


def owned(params: Params, state: MotoState) -> None:
    """UpdateSecret, DeleteSecret: one that a service made stays with it."""
    _unmanaged(params, state)


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


RULES: Final = stated.rules(
    __name__,
    {
        "RotateSecret": absent("rotation of secrets"),
        "CreateSecret": create,
        "UpdateSecret": owned,
        "PutSecretValue": put,
        "DeleteSecret": owned,
        "PutResourcePolicy": policy,
    },
)
