"""CloudWatch Logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import policy_statements
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


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
    statements = json.loads(key.policy or "{}").get("Statement") or []
    context = {"kms:EncryptionContext:aws:logs:arn": group}
    for statement in statements if isinstance(statements, list) else [statements]:
        principal: Any = statement.get("Principal") or {}
        services = principal.get("Service") or [] if isinstance(principal, dict) else principal
        services = {services} if isinstance(services, str) else set(services)
        named = {f"logs.{region}.amazonaws.com", "logs.amazonaws.com", "*"} & services
        may = policy_statements.applies(statement, "kms:Encrypt", key.arn, context)
        if statement.get("Effect") == "Allow" and named and may:
            return True
    return False


def _group_of(params: Params, groups: dict[str, Any]) -> Any:
    # resourceIdentifier: `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`.
    named = params.get("logGroupName") or str(params.get("resourceIdentifier")).partition(":log-group:")[2]
    if named not in groups:
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
    return groups[named]


def associate(call: Call, backend: Any) -> Answer:
    """AssociateKmsKey, which moto lacks."""
    _group_of(call.params, backend.groups).kms_key_id = call.params.get("kmsKeyId")
    return _DONE


def disassociate(call: Call, backend: Any) -> Answer:
    """DisassociateKmsKey, which moto lacks."""
    _group_of(call.params, backend.groups).kms_key_id = None
    return _DONE


_DONE: Final = Answer(200, [("Content-Type", "application/x-amz-json-1.1")], b"")
OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "AssociateKmsKey": associate,
    "DisassociateKmsKey": disassociate,
}


def retention(params: Params, _: MotoState) -> None:
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
