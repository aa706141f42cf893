"""A bucket refuses requests in the clear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided
from ..pack.companions import BUCKETS, Companions
from ..pack.statements import Statement, statements

POLICY = Policy(
    title="Buckets refuse plain HTTP",
    severity="medium",
    description="S3 answers over plain HTTP, too, until a bucket's policy denies every request for which "
    "`aws:SecureTransport` is false. Google Cloud Storage is asked over TLS by all its clients.",
    remediation="Give the bucket a BucketPolicy with Effect Deny, Principal `*`, Action `s3:*` and Condition "
    '`{"Bool": {"aws:SecureTransport": "false"}}`.',
    frameworks=("CIS AWS 2.1.1", "NIST 800-53 SC-8", "SOC 2 CC6.7"),
)


@POLICY.on_stack
def on_buckets(stack: Stack) -> Iterator[Judgement]:
    """Buckets whose policy, in this program, says nothing of it."""
    policies = Companions(stack, "bucket", "aws:s3/bucketPolicy:BucketPolicy")
    for bucket in stack.of(*BUCKETS):
        documents = [*policies.of(bucket)]
        own = bucket.said("policy")
        if own is UNKNOWN or own:
            documents.append(bucket)
        yield from _judged(bucket, documents, policies.strays)


def _judged(bucket: Resource, documents: list[Resource], strays: bool) -> Iterator[Judgement]:
    found = [statement for each in documents for statement in statements(each, "policy")]
    if any(isinstance(each, Statement) and _denies_plain_http(each) for each in found):
        return
    if strays or any(isinstance(each, Undecided) for each in found):
        yield Undecided("policy")
    else:
        said = "its policy does not deny" if documents else "it has no policy that denies"
        yield Finding("policy", f"{said} requests without TLS", bucket)


def _denies_plain_http(statement: Statement) -> bool:
    secure = {
        str(each).lower()
        for operator, keys in statement.conditions.items()
        if operator in ("Bool", "BoolIfExists")
        for key, said in keys.items()
        if key.lower() == "aws:securetransport"
        for each in (cast("list[Any]", said) if isinstance(said, list) else [said])
    }
    actions = {str(action) for _, action in statement.listed("Action")}
    return statement.body.get("Effect") == "Deny" and secure == {"false"} and bool(actions & {"s3:*", "*"})
