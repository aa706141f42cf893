"""IAM: policy documents, trust policies, what is still in use.

moto checks an identity policy's grammar in AWS's words. Added here: trust policies, and service names. IAM
itself stores an action of a service that does not exist, which then grants nothing and is what a reviewer
wants to hear of; IAM Access Analyzer calls it an error (INVALID_SERVICE_IN_ACTION), and so does the twin.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam.policy_statements import as_list
from twin.aws.resources.documents import document_failures
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
INLINE_SIZE: Final = 10240
"""Of all inline policies of a role together, in characters without whitespace (IAM quotas)."""
MANAGED_SIZE: Final = 6144
TRUST_SIZE: Final = 2048
_SERVICE: Final = re.compile(r"[a-z0-9][a-z0-9.\-]*\.amazonaws\.com(\.cn)?")


def identity_policy(params: Params, state: MotoState) -> None:
    """CreatePolicy, CreatePolicyVersion, PutRolePolicy and such."""
    if params.get("RoleName"):
        stated.check(__name__, "role", params, state)
        stated.check(__name__, "modifiable", params, state)
    document = _parsed(params.get("PolicyDocument"))
    _sizes(params, state)
    _statements(document)
    _grammar(document, "identity")


def _sizes(params: Params, state: MotoState) -> None:
    # Whitespace outside of strings does not count.
    size = _size(params.get("PolicyDocument"))
    if params.get("RoleName") and params.get("PolicyName"):
        role = state.role(params["RoleName"])
        others = sum(_size(text) for name, text in role.policies.items() if name != params["PolicyName"])
        if others + size > INLINE_SIZE:
            raise Refusal(
                "LimitExceeded",
                f"Maximum policy size of {INLINE_SIZE} bytes exceeded for role {role.name}",
                409,
            )
    elif not params.get("UserName") and not params.get("GroupName") and size > MANAGED_SIZE:
        raise Refusal("LimitExceeded", f"Cannot exceed quota for PolicySize: {MANAGED_SIZE}", 409)


def _size(text: Any) -> int:
    try:
        return len(json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False))
    except (ValueError, TypeError):
        return len(str(text))


def trust_policy(params: Params, state: MotoState) -> None:
    """CreateRole: who can take the role."""
    _trust(params.get("AssumeRolePolicyDocument"), state)


def update_trust(params: Params, state: MotoState) -> None:
    """UpdateAssumeRolePolicy."""
    state.role(params.get("RoleName") or "")
    _trust(params.get("PolicyDocument"), state)


def _trust(text: str | None, state: MotoState) -> None:
    document = _parsed(text)
    if _size(text) > TRUST_SIZE:
        raise Refusal("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST_SIZE}", 409)
    statements = _statements(document)
    if not statements:
        raise _malformed("The trust policy has no Statement")
    _grammar(document, "trust")
    for statement in statements:
        for action in as_list(statement.get("Action") or statement.get("NotAction")):
            if not str(action).lower().startswith("sts:"):
                raise _malformed(f"AssumeRole policy may only specify STS AssumeRole actions. ({action})")
        _principals(statement.get("Principal"), state)


def _grammar(document: Params, kind: str) -> None:
    for failure in document_failures("policy", document, kind):
        raise _malformed(failure.reason.partition(": ")[2])


def _principals(principal: Any, state: MotoState) -> None:
    if principal is None or principal == "*":
        return
    if not isinstance(principal, dict):
        raise _malformed(f"Invalid principal in policy: {principal}")
    for service in as_list(principal.get("Service")):
        if not _SERVICE.fullmatch(str(service)):
            raise _malformed(f'Invalid principal in policy: "SERVICE":"{service}"')
    for arn in state.unknown_principals(map(str, as_list(principal.get("AWS")))):
        raise _malformed(f'Invalid principal in policy: "AWS":"{arn}"')
    for kind in principal:
        if kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
            raise _malformed(f"Invalid principal type in policy: {kind}")


def _parsed(text: str | None) -> Params:
    try:
        document: Any = json.loads(text or "")
    except ValueError:
        raise _malformed("Syntax errors in policy.") from None
    if not isinstance(document, dict):
        raise _malformed("Syntax errors in policy.")
    return document


def _statements(document: Params) -> list[Params]:
    statements = as_list(document.get("Statement"))
    if not all(isinstance(statement, dict) for statement in statements):
        raise _malformed("Syntax errors in policy.")
    return statements


def _malformed(message: str) -> Refusal:
    return Refusal("MalformedPolicyDocument", message)


RULES: Final = {
    **stated.rules(__name__),
    "CreateRole": trust_policy,
    "UpdateAssumeRolePolicy": update_trust,
    "CreatePolicy": identity_policy,
    "CreatePolicyVersion": identity_policy,
    "PutRolePolicy": identity_policy,
    "PutUserPolicy": identity_policy,
    "PutGroupPolicy": identity_policy,
}
