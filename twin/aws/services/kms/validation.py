"""KMS: key policies that lock out, aliases."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import policy_statements, resource_policies
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


def key_policy(params: Params, state: MotoState) -> None:
    """CreateKey, PutKeyPolicy: a policy that leaves its maker no way to change it is refused."""
    text = params.get("Policy")
    if not text:
        return
    statements = resource_policies.statements(text, "MalformedPolicyDocumentException")
    for statement in statements:
        for arn in state.unknown_principals(policy_statements.principals(statement)):
            raise Refusal(
                "MalformedPolicyDocumentException",
                f"Policy contains a statement with one or more invalid principals. ({arn})",
            )
    if len(text) > 32768:
        raise Refusal("LimitExceededException", "A key policy has at most 32768 characters")
    if str(params.get("BypassPolicyLockoutSafetyCheck")).lower() == "true":
        return
    for statement in statements:
        patterns = [action.lower() for action in policy_statements.as_list(statement.get("Action"))]
        makes = _makers(state).intersection(policy_statements.principals(statement))
        may = any(policy_statements.matches(pattern, "kms:putkeypolicy") for pattern in patterns)
        if statement.get("Effect") == "Allow" and makes and may:
            return
    raise Refusal(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )


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


RULES: Final = stated.rules(__name__, {"CreateKey": key_policy, "PutKeyPolicy": key_policy})
