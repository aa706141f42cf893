"""Buckets refuse requests without TLS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..framework import Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.policy_documents import Statement, statements
from ..framework.related_resources import BUCKETS, RelatedResources

POLICY = Policy(
    title="Buckets refuse plain HTTP",
    severity="medium",
    description="S3 also accepts plain HTTP until a bucket's policy denies every request for which "
    "`aws:SecureTransport` is false. All clients of Google Cloud Storage use TLS.",
    remediation="Give the bucket a BucketPolicy with Effect Deny, Principal `*`, Action `s3:*` and Condition "
    '`{"Bool": {"aws:SecureTransport": "false"}}`.',
    frameworks=("CIS AWS 2.1.1", "NIST 800-53 SC-8", "SOC 2 CC6.7"),
)


@POLICY.on_stack
def on_buckets(stack: Stack) -> Iterator[Outcome]:
    """Buckets without a policy, in this program, that denies plain HTTP."""
    policies = RelatedResources(stack, "bucket", "aws:s3/bucketPolicy:BucketPolicy")
    yield from check_each(stack.of(*BUCKETS), _check_bucket, policies)


def _check_bucket(bucket: Resource, policies: RelatedResources) -> Iterator[Outcome]:
    documents = [*policies.of(bucket)]
    if bucket.sources("policy") or bucket.declared("policy"):
        documents.append(bucket)
    if not any_of((entry for document in documents for entry in statements(document)), _denies_plain_http):
        policies.require_known_targets()
        problem = "its policy does not deny" if documents else "no policy denies"
        yield Violation("policy", f"{problem} requests without TLS")


def _denies_plain_http(statement: Statement) -> bool:
    actions = {entry.raw() for entry in statement.entries("Action")}
    secure = {
        str(value).lower()
        for operator, keys in statement.conditions.items()
        if operator in ("Bool", "BoolIfExists")
        for key, values in keys.items()
        if key.lower() == "aws:securetransport"
        for value in (cast("list[Any]", values) if isinstance(values, list) else [values])
    }
    denies = statement.known("Effect") == "Deny" and secure == {"false"} and bool(actions & {"s3:*", "*"})
    if not denies:
        statement.fully_known()
    return denies
