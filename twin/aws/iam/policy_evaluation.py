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
class Asked:
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
    """What conditions may ask of any request. The front is for TLS, which ends before it."""
    return {
        **who.context(),
        "aws:ResourceAccount": account,
        "s3:ResourceAccount": account,
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": region,
    }


def why_not(who: Principal, asked: Asked) -> str:
    """Why a principal may not, in AWS's words; empty where it may."""
    because = _denied(who, asked) or _lacking(who, asked)
    if not because:
        return ""
    if who.anonymous:
        return "Access Denied"
    where = asked.resource or "*"
    return f"User: {who.arn} is not authorized to perform: {asked.action} on resource: {where} {because}"


def _denied(who: Principal, asked: Asked) -> str:
    sources: list[tuple[str, Iterable[Document]]] = [
        ("an identity-based policy", who.identity),
        ("a permissions boundary", (who.boundary,) if who.boundary else ()),
        ("a session policy", who.session or ()),
    ]
    for name, documents in sources:
        if policy_statements.denies(documents, asked.action, asked.resource, asked.context):
            return f"with an explicit deny in {name}"
    for statement in policy_statements.statements(asked.policy):
        if statement.get("Effect") != "Deny" or not _speaks_of(statement, who):
            continue
        if policy_statements.applies(statement, asked.action, asked.resource, asked.context):
            return "with an explicit deny in a resource-based policy"
    return ""


def _lacking(who: Principal, asked: Asked) -> str:
    given = _by_resource(who, asked)
    if given == "session":
        return ""
    own = who.everything or policy_statements.allows(
        who.identity, asked.action, asked.resource, asked.context
    )
    if asked.decisive and given not in ("direct", "account"):
        return f"because no resource-based policy allows the {asked.action} action"
    if given != "direct" and not own:
        return f"because no identity-based policy allows the {asked.action} action"
    if who.boundary is not None and not _lets(who.boundary, asked):
        return f"because no permissions boundary allows the {asked.action} action"
    if who.session is not None and not policy_statements.allows(
        who.session, asked.action, asked.resource, asked.context
    ):
        return f"because no session policy allows the {asked.action} action"
    return ""


def _lets(document: Document, asked: Asked) -> bool:
    return policy_statements.allows((document,), asked.action, asked.resource, asked.context)


def _by_resource(who: Principal, asked: Asked) -> str:
    """How the resource's policy allows it: to the session itself (which then needs nothing else), to the role
    or user directly, to its account (which then decides by identity), or not (``)."""
    found = ""
    for statement in policy_statements.statements(asked.policy):
        if statement.get("Effect") != "Allow" or not policy_statements.applies(
            statement, asked.action, asked.resource, asked.context
        ):
            continue
        named = policy_statements.principals(statement)
        if who.arn in named and not who.anonymous:
            return "session" if who.arn != who.owner else "direct"
        if who.owner in named or "*" in named:
            found = "direct"
        elif who.account in named or _root(who) in named:
            found = found or "account"
    return found


def _root(who: Principal) -> str:
    return f"arn:aws:iam::{who.account}:root"


def _speaks_of(statement: Document, who: Principal) -> bool:
    mine = {who.arn, who.owner, who.account, _root(who), "*"}
    if "NotPrincipal" in statement:
        return not mine & set(policy_statements.principals(statement, "NotPrincipal"))
    return bool(mine & set(policy_statements.principals(statement)))
