"""KMS: key policies that lock out, aliases."""

from __future__ import annotations

import json
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import policy_statements
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


def key_policy(params: Params, state: MotoState) -> None:
    """CreateKey, PutKeyPolicy: a policy that leaves its maker no way to change it is refused."""
    text = params.get("Policy")
    if not text:
        return
    try:
        document = json.loads(text)
        statements = document["Statement"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(
            "MalformedPolicyDocumentException", "The policy document is not valid JSON with a Statement"
        ) from None
    _existing(statements if isinstance(statements, list) else [statements], state)
    if len(text) > 32768:
        raise Refusal("LimitExceededException", "A key policy has at most 32768 characters")
    if str(params.get("BypassPolicyLockoutSafetyCheck")).lower() == "true":
        return
    principals = _makers(state)
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") != "Allow" or not principals & _principals(statement):
            continue
        actions = statement.get("Action") or []
        if any(
            policy_statements.matches(action.lower(), "kms:putkeypolicy")
            for action in ([actions] if isinstance(actions, str) else actions)
        ):
            return
    raise Refusal(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )


def _existing(statements: list[Params], state: MotoState) -> None:
    # Principals of other accounts cannot be looked up here.
    known = {role.arn for role in [*state.roles(), *state.iam.users.values()]}
    for statement in statements:
        for arn in _principals(statement):
            parts = arn.split(":")
            same_account = len(parts) == 6 and parts[2] == "iam" and parts[4] == state.account
            if same_account and parts[5] != "root" and arn not in known:
                raise Refusal(
                    "MalformedPolicyDocumentException",
                    f"Policy contains a statement with one or more invalid principals. ({arn})",
                )


def create_alias(params: Params, state: MotoState) -> None:
    """CreateAlias."""
    name = params.get("AliasName") or ""
    if name.startswith("alias/aws/"):
        raise Refusal("NotAuthorizedException", "Alias names that begin with alias/aws/ are reserved for AWS")
    if not name.startswith("alias/") or name == "alias/":
        raise Refusal("ValidationException", f'Alias must start with the prefix "alias/", got {name}')
    target = params.get("TargetKeyId") or ""
    key = state.kms.keys.get(target.rsplit("/", 1)[-1])
    if key is None:
        raise Refusal(
            "NotFoundException",
            f"Key 'arn:aws:kms:{state.region}:{state.account}:key/{target}' does not exist",
        )
    if key.key_state == "PendingDeletion":
        raise Refusal("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if any(name in other_key.aliases for other_key in state.kms.keys.values()):
        raise Refusal(
            "AlreadyExistsException",
            f"An alias with the name arn:aws:kms:{state.region}:{state.account}:{name} already exists",
        )


def deletion(params: Params, _: MotoState) -> None:
    """ScheduleKeyDeletion: 7 to 30 days."""
    days = params.get("PendingWindowInDays")
    if days is not None and not 7 <= int(days) <= 30:
        raise Refusal("ValidationException", f"PendingWindowInDays must be 7 to 30, got {days}")


def _makers(state: MotoState) -> set[str]:
    from twin.aws.credentials import ROLE, deployer_arn

    account = state.account
    return {
        "*",
        account,
        f"arn:aws:iam::{account}:root",
        f"arn:aws:iam::{account}:role/{ROLE}",
        deployer_arn(account),
    }


def _principals(statement: Params) -> set[str]:
    principal: Any = statement.get("Principal")
    if isinstance(principal, str):
        return {principal}
    named = (principal or {}).get("AWS") or []
    return {named} if isinstance(named, str) else set(named)


RULES: Final = {
    "CreateKey": key_policy,
    "PutKeyPolicy": key_policy,
    "CreateAlias": create_alias,
    "ScheduleKeyDeletion": deletion,
}
