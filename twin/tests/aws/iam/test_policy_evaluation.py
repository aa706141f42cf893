"""What decides over a request: identity, resource, boundary and session, and what denies wins over all."""

from __future__ import annotations

from typing import Any

import pytest

from twin.aws.iam.policy_evaluation import AuthorizationRequest, why_not
from twin.aws.iam.principals import Principal, anonymous

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/me"
FILE = "arn:aws:s3:::data/tables/file"
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
DENY = {**ALLOW, "Effect": "Deny"}
NO_IDENTITY = "because no identity-based policy allows the s3:GetObject action"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def of(principal: Any, **more: Any) -> dict[str, Any]:
    """A bucket's policy that lets a principal in."""
    return document({**ALLOW, "Principal": principal, **more})


def who(*statements: dict[str, Any], **more: Any) -> Principal:
    """A session of the role with these rights."""
    return Principal(SESSION, ROLE, "AROA:me", ACCOUNT, (document(*statements),), **more)


def decided(principal: Principal, bucket: Any = None, *, decisive: bool = False) -> str:
    """Why it may not read the file."""
    context = {**principal.context(), "aws:SecureTransport": "true"}
    return why_not(principal, AuthorizationRequest("s3:GetObject", FILE, context, bucket, decisive))


@pytest.mark.parametrize(
    ("principal", "bucket"),
    [
        (who(ALLOW), None),
        (who(), of({"AWS": ROLE})),
        (who(), of({"AWS": SESSION})),
        (who(), of("*")),
        (who(ALLOW), of({"AWS": ACCOUNT})),
        (anonymous(), of("*")),
        (who(everything=True), None),
        (who(ALLOW, boundary=document(ALLOW), session=(document(ALLOW),)), None),
        (who(session=(document(),)), of({"AWS": SESSION})),
        (who(ALLOW), of("*", Effect="Deny", Condition={"ArnNotEquals": {"aws:PrincipalArn": [ROLE]}})),
        (who(ALLOW), of("*", Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})),
        (who(ALLOW), document({**DENY, "NotPrincipal": {"AWS": [ROLE, f"arn:aws:iam::{ACCOUNT}:root"]}})),
    ],
)
def test_what_is_allowed_somewhere_and_denied_nowhere_goes_through(principal: Principal, bucket: Any) -> None:
    assert decided(principal, bucket) == ""


@pytest.mark.parametrize(
    ("principal", "bucket", "why"),
    [
        (who(), None, NO_IDENTITY),
        (who(), of({"AWS": ACCOUNT}), NO_IDENTITY),
        (who(), of({"AWS": ROLE.replace("reader", "other")}), NO_IDENTITY),
        (who(), of({"AWS": ROLE}, Condition={"Bool": {"aws:SecureTransport": "false"}}), NO_IDENTITY),
        (who(ALLOW, DENY), None, "with an explicit deny in an identity-based policy"),
        (who(ALLOW), of("*", Effect="Deny"), "with an explicit deny in a resource-based policy"),
        (who(everything=True), of("*", Effect="Deny"), "with an explicit deny in a resource-based policy"),
        (who(ALLOW, boundary=document()), None, "because no permissions boundary allows"),
        (who(boundary=document()), of({"AWS": ROLE}), "because no permissions boundary allows"),
        (who(ALLOW, session=(document(),)), None, "because no session policy allows"),
        (who(ALLOW, session=(document(DENY),)), None, "with an explicit deny in a session policy"),
        (who(ALLOW), document({**DENY, "NotPrincipal": {"AWS": ["arn:aws:iam::1:root"]}}), "explicit deny"),
        (anonymous(), None, "Access Denied"),
        (anonymous(), of({"AWS": ROLE}), "Access Denied"),
    ],
)
def test_the_refusal_says_which_policy_it_is(principal: Principal, bucket: Any, why: str) -> None:
    assert why in decided(principal, bucket)


def test_a_keys_or_trust_policy_must_let_the_account_or_the_principal_in() -> None:
    assert "no resource-based policy" in decided(who(ALLOW), None, decisive=True)
    assert decided(who(ALLOW), of({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), decisive=True) == ""
    assert decided(who(), of({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), decisive=True), "IAM decides then"
    assert decided(who(), of({"AWS": ROLE}), decisive=True) == ""


def test_a_policys_variables_are_the_sessions_tags() -> None:
    mine = {**ALLOW, "Resource": "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"}
    assert decided(who(mine, tags={"team": "tables"})) == ""
    assert decided(who(mine, tags={"team": "others"}))
    assert decided(who(mine)), "a variable without a value is no wildcard"
