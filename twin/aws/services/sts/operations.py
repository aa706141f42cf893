"""Sessions of roles: who can assume one, and how long its credentials hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import policy_evaluation, policy_statements, request_context
from twin.aws.iam.principals import Backends, Principal, Session, boundary, role_of, session_of
from twin.aws.iam.principals import policy as managed_policy
from twin.aws.validation.extension_store import respond

Params = dict[str, Any]

_SHORTEST: Final = 900
_CHAINED: Final = 3600
"""Seconds that a session lasts at most where a session asks for it (role chaining)."""


_WORDS: Final = "The security token included in the request is "
UNKNOWN_KEY: Final = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "query": ("InvalidClientTokenId", f"{_WORDS}invalid.", 403),
    "json": ("UnrecognizedClientException", f"{_WORDS}invalid.", 400),
    "rest-json": ("UnrecognizedClientException", f"{_WORDS}invalid.", 403),
    "rest-xml": (
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
        403,
    ),
}
"""Code, words and status for an access key that AWS never gave out, by protocol."""


def known(call: Call, session: Session) -> None:
    """Refuse credentials that are over, or whose token is not theirs."""
    token = call.environ.get("HTTP_X_AMZ_SECURITY_TOKEN") or call.query.get("X-Amz-Security-Token", [""])[0]
    form = call.protocol
    if token != session.token:
        raise Refusal(*_INVALID.get(form, _INVALID["json"]))
    if session.expires.replace(tzinfo=UTC) <= datetime.now(UTC):
        raise Refusal(*_EXPIRED.get(form, _EXPIRED["json"]))


_INVALID: Final = {
    **UNKNOWN_KEY,
    "rest-xml": ("InvalidToken", "The provided token is malformed or otherwise invalid.", 400),
}
_EXPIRED: Final = {
    "ec2": ("RequestExpired", "Request has expired.", 400),
    "query": ("ExpiredToken", f"{_WORDS}expired", 403),
    "json": ("ExpiredTokenException", f"{_WORDS}expired", 400),
    "rest-json": ("ExpiredTokenException", f"{_WORDS}expired", 403),
    "rest-xml": ("ExpiredToken", "The provided token has expired.", 400),
}


def check(call: Call, server: Any, who: Principal) -> None:
    """AssumeRole: by the role's trust policy, and where that trusts the account, by the caller's own ones."""
    params = call.params
    arn = str(params.get("RoleArn") or "")
    role = role_of(server.moto, arn)
    tags = requested_tags(params)
    context = {
        **request_context.context(call, server, who),
        "sts:RoleSessionName": str(params.get("RoleSessionName") or ""),
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
    }
    if params.get("ExternalId"):
        context["sts:ExternalId"] = str(params["ExternalId"])
    if tags:
        context["aws:TagKeys"] = "\n".join(tags)
    for action in ("sts:AssumeRole", *(("sts:TagSession",) if tags else ())):
        trust = role.assume_role_policy_document if role is not None else None
        request = policy_evaluation.AuthorizationRequest(action, arn, context, trust, decisive=True)
        if role is None or who.anonymous or policy_evaluation.why_not(who, request):
            text = f"User: {who.arn} is not authorized to perform: {action} on resource: {arn}"
            raise Refusal("AccessDenied", text, 403)
    _lasts(int(params.get("DurationSeconds") or _CHAINED), role, who)
    _bounded(params, server.moto)


def _lasts(seconds: int, role: Any, who: Principal) -> None:
    longest = int(role.max_session_duration or _CHAINED)
    if seconds < _SHORTEST or seconds > longest:
        raise Refusal(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            if seconds > longest
            else f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy "
            f"constraint: Member must have value greater than or equal to {_SHORTEST}",
        )
    if ":assumed-role/" in who.arn and seconds > _CHAINED:
        raise Refusal(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
            "chaining.",
        )


def _bounded(params: Params, moto: Any) -> None:
    """The session's policies are ones."""
    text = params.get("Policy")
    if text:
        try:
            policy_statements.statements(str(text))
        except (ValueError, AttributeError):
            raise Refusal("MalformedPolicyDocument", "Syntax errors in policy.") from None
    for policy_arn in params.get("PolicyArns") or []:
        if managed_policy(moto, str(policy_arn.get("arn"))) is None:
            raise Refusal("MalformedPolicyDocument", f"Policy {policy_arn.get('arn')} does not exist.")


def requested_tags(params: Params) -> dict[str, str]:
    """The session tags that are asked for."""
    return {str(tag["Key"]): str(tag["Value"]) for tag in params.get("Tags") or []}


# The operation


def assume(call: Call, backend: Any) -> Answer:
    """AssumeRole: moto's session, with the policies and tags that moto leaves out."""
    params = call.params
    chained = session_of(Backends(backend.account_id), call.access_key) if call.access_key else None
    session = backend.assume_role(
        region_name=call.region,
        role_session_name=params["RoleSessionName"],
        role_arn=params["RoleArn"],
        policy=params.get("Policy"),
        duration=int(params.get("DurationSeconds") or _CHAINED),
        external_id=params.get("ExternalId"),
    )
    policies = [json.loads(params["Policy"])] if params.get("Policy") else []
    policies += [
        boundary(Backends(backend.account_id), str(policy_arn["arn"]))
        for policy_arn in params.get("PolicyArns") or []
    ]
    session.twin_policies = policies or None
    inherited = (
        {key: chained.tags[key] for key in chained.transitive if key in chained.tags} if chained else {}
    )
    session.twin_tags = {**inherited, **requested_tags(params)}
    session.twin_transitive = [*inherited, *(params.get("TransitiveTagKeys") or [])]
    credentials = {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expiration,
    }
    user = {"AssumedRoleId": session.user_id, "Arn": session.arn}
    return respond(call, {"Credentials": credentials, "AssumedRoleUser": user, "PackedPolicySize": 0})


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {"AssumeRole": assume}
