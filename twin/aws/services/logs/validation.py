"""CloudWatch Logs."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import policy_statements
from twin.aws.validation import extension_store, stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


def create_group(params: Params, state: MotoState) -> None:
    """CreateLogGroup: a customer-managed key must exist."""
    named = params.get("kmsKeyId")
    if not named:
        return
    key = state.key(named)
    group = f"arn:aws:logs:{state.region}:{state.account}:log-group:{params.get('logGroupName')}"
    if key is None or not key.enabled or not _lets_logs(key, state.region, group):
        raise Refusal(
            "InvalidParameterException",
            f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'",
        )


def _lets_logs(key: Any, region: str, group: str) -> bool:
    # The service uses the key in its own name: the key's policy must let it.
    service = {f"logs.{region}.amazonaws.com", "logs.amazonaws.com"}
    context = {"kms:EncryptionContext:aws:logs:arn": group}
    return policy_statements.lets(key.policy, service, "kms:Encrypt", key.arn, context)


def _group_of(params: Params, groups: dict[str, Any]) -> Any:
    # resourceIdentifier: `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`.
    named = params.get("logGroupName") or str(params.get("resourceIdentifier")).partition(":log-group:")[2]
    if named not in groups:
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
    return groups[named]


def change_key(params: Params, backend: Any) -> Params:
    """AssociateKmsKey and DisassociateKmsKey, which moto lacks."""
    _group_of(params, backend.groups).kms_key_id = params.get("kmsKeyId")
    return {}


OPERATIONS: Final = extension_store.operations(
    {"AssociateKmsKey": change_key, "DisassociateKmsKey": change_key}
)
RULES: Final = stated.rules(__name__, {"CreateLogGroup": create_group, "AssociateKmsKey": create_group})
