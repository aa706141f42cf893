"""Whether a principal may do something: its own policies, those of the resource, and what bounds both.

IAM user guide, "Policy evaluation logic", for requests within one account: what denies wins; then the
resource's policy or the identity's must allow, within the boundary and the session's policies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twin.aws.iam import policy_statements
from twin.aws.iam.policy_statements import Context, Document
from twin.aws.iam.principals import Principal


@dataclass(frozen=True)
class AuthorizationRequest:
    """One right that a call needs.

    resource: an arn, or None where it is not known which one. policy: of the resource. decisive: whether that
    policy must let the principal, or the account, in (roles' trust and KMS keys).
    """

    action: str
    resource: str | None
    context: Context
    policy: Any = None
    decisive: bool = False


def context(who: Principal, account: str, region: str) -> dict[str, str]:
    """What conditions may ask of any request. The API server is for TLS, which ends before it."""
    return {
        **who.context(),
        "aws:ResourceAccount": account,
        "s3:ResourceAccount": account,
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": region,
    }


def why_not(who: Principal, request: AuthorizationRequest) -> str:
    """Why a principal may not, in AWS's words; empty where it may."""
    because = _denied(who, request) or _lacking(who, request)
    if not because:
        return ""
    if who.anonymous:
        return "Access Denied"
    where = request.resource or "*"
    return f"User: {who.arn} is not authorized to perform: {request.action} on resource: {where} {because}"


def _denied(who: Principal, request: AuthorizationRequest) -> str:
    sources: list[tuple[str, Iterable[Document]]] = [
        ("an identity-based policy", who.identity),
        ("a permissions boundary", (who.boundary,) if who.boundary else ()),
        ("a session policy", who.session or ()),
    ]
    for name, documents in sources:
        if policy_statements.denies(documents, request.action, request.resource, request.context):
            return f"with an explicit deny in {name}"
    for statement in policy_statements.statements(request.policy):
        if statement.get("Effect") != "Deny" or not _speaks_of(statement, who):
            continue
        if policy_statements.applies(statement, request.action, request.resource, request.context):
            return "with an explicit deny in a resource-based policy"
    return ""


def _lacking(who: Principal, request: AuthorizationRequest) -> str:
    grant = _by_resource(who, request)
    if grant == "session":
        return ""
    allowed = who.everything or policy_statements.allows(
        who.identity, request.action, request.resource, request.context
    )
    if request.decisive and grant not in ("direct", "account"):
        return f"because no resource-based policy allows the {request.action} action"
    if grant != "direct" and not allowed:
        return f"because no identity-based policy allows the {request.action} action"
    if who.boundary is not None and not _lets(who.boundary, request):
        return f"because no permissions boundary allows the {request.action} action"
    if who.session is not None and not policy_statements.allows(
        who.session, request.action, request.resource, request.context
    ):
        return f"because no session policy allows the {request.action} action"
    return ""


def _lets(document: Document, request: AuthorizationRequest) -> bool:
    return policy_statements.allows((document,), request.action, request.resource, request.context)


def _by_resource(who: Principal, request: AuthorizationRequest) -> str:
    """How the resource's policy allows it: to the session itself (which then needs nothing else), to the role
    or user directly, to its account (which then decides by identity), or not (``)."""
    grant = ""
    for statement in policy_statements.statements(request.policy):
        if statement.get("Effect") != "Allow" or not policy_statements.applies(
            statement, request.action, request.resource, request.context
        ):
            continue
        named = policy_statements.principals(statement)
        if who.arn in named and not who.anonymous:
            return "session" if who.arn != who.owner else "direct"
        if who.owner in named or "*" in named:
            grant = "direct"
        elif who.account in named or _root(who) in named:
            grant = grant or "account"
    return grant


def _root(who: Principal) -> str:
    return f"arn:aws:iam::{who.account}:root"


def _speaks_of(statement: Document, who: Principal) -> bool:
    mine = {who.arn, who.owner, who.account, _root(who), "*"}
    if "NotPrincipal" in statement:
        return not mine & set(policy_statements.principals(statement, "NotPrincipal"))
    return bool(mine & set(policy_statements.principals(statement)))
