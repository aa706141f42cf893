"""Whether a request is allowed: S3's calls by everybody, all others by principals other than the deployer.

The deployer has all rights but for what a policy denies; a bucket's or key's policy denies it, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twin.aws.api_server.request import Call, Refusal
from twin.aws.iam import policy_evaluation, request_context, service_rights
from twin.aws.iam.principals import Principal
from twin.aws.services.s3 import permissions as s3
from twin.aws.services.sts import operations as sts


def check(call: Call, server: Any) -> None:
    """Raise the Refusal of a call that its caller has no right to."""
    with server.moto.lock:
        who: Principal = server.identity.principal(call.access_key)
        if call.service == "sts" and call.operation == "AssumeRole":
            sts.check(call, server, who)
            return
        if call.service == "s3":
            _s3(call, server, who)
            return
        if who.anonymous or (who.everything and call.service != "kms"):
            return
        for request in service_rights.requests(call, server.moto):
            demand(call, server, who, request)


def _s3(call: Call, server: Any, who: Principal) -> None:
    if not call.operation:
        if not who.everything:
            raise Refusal("AccessDenied", "Access Denied", 403)
        return
    bucket = str(call.params.get("Bucket") or "")
    if who.anonymous and s3.closed_to_everybody(server.moto, bucket):
        raise Refusal("AccessDenied", "Access Denied", 403)
    if bucket and bucket not in server.moto.backend("s3").buckets:
        return  # S3 says that there is none, for any caller
    for request in s3.requests(call, server.moto):
        demand(call, server, who, request)
    if call.operation in ("GetObject", "HeadObject") and not who.everything:
        # S3 reports that an object is not there to those alone who can list its bucket.
        for request in s3.of_absent(call, server.moto):
            demand(call, server, who, request)


def demand(call: Call, server: Any, who: Principal, request: policy_evaluation.AuthorizationRequest) -> None:
    """Refuse a call whose caller lacks a right."""
    reported = request_context.context(call, server, who)
    why = policy_evaluation.why_not(who, replace(request, context={**reported, **request.context}))
    if why:
        raise denied(call, why)


def denied(call: Call, why: str) -> Refusal:
    """The refusal in the words of the service."""
    if call.service in ("s3", "sts", "iam", "rds", "monitoring", "autoscaling"):
        return Refusal("AccessDenied", why, 403)
    if call.service == "ec2":
        return Refusal(
            "UnauthorizedOperation", f"You are not authorized to perform this operation. {why}", 403
        )
    return Refusal("AccessDeniedException", why, 400 if call.protocol == "json" else 403)
