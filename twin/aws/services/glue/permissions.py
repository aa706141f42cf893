"""Whether a role may write an object for Glue: its own policies, the bucket's, and the key's."""

from __future__ import annotations

from dataclasses import replace

from twin.aws.iam import policy_evaluation, principals
from twin.aws.services.lakeformation import permissions as lakeformation
from twin.aws.services.lakeformation.state import Lake
from twin.aws.services.s3 import permissions as s3
from twin.aws.validation.moto_state import MotoState


def writer(arn: str, lake: Lake, caller: str) -> str:
    """Who writes an object (its arn) for Glue: the role of the registered location that it is in, or the
    caller where there is none."""
    place = lakeformation.location_of(lake, arn)
    return caller if place is None or place.hybrid else place.role_arn


def denied(role_arn: str, bucket: str, key: str, state: MotoState) -> str:
    """Why a role may not write an object; empty where it may, or where the role is none of the account's."""
    who = principals.of_role(state.moto, role_arn, "Glue")
    if who is None or "/aws-service-role/" in role_arn:
        return ""
    reported = policy_evaluation.context(who, state.account, state.region)
    for request in s3.of_object(state.moto, state.region, bucket, key, "PutObject"):
        why = policy_evaluation.why_not(who, replace(request, context={**reported, **request.context}))
        if why:
            return why
    return ""
