"""Buckets are encrypted with a customer's key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided
from ..pack.companions import BUCKETS, Companions
from ..pack.keys import customer_key

POLICY = Policy(
    title="Buckets under a customer's key",
    severity="medium",
    description="Objects are encrypted with a key of one's own, so that a wrong bucket policy alone opens "
    "nothing and every use of the key is logged. A bucket that keeps access logs cannot have one: the "
    "services that write them take the provider's key alone.",
    remediation="Add a BucketServerSideEncryptionConfiguration with `aws:kms` and `kmsMasterKeyId`; set "
    "`encryption.defaultKmsKeyName` on Google Cloud.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

_CONFIGURATION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
# What a bucket says itself: today's, and in the form of older programs.
_OWN = {
    "serverSideEncryptionConfiguration": "rule.applyServerSideEncryptionByDefault.kmsMasterKeyId",
    "serverSideEncryptionConfigurations": (
        "[0].rules[0].applyServerSideEncryptionByDefaults[0].kmsMasterKeyId"
    ),
}


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Judgement]:
    """Buckets of S3, which are under S3's own key unless it is said; but those of access logs."""
    said = Companions(stack, "bucket", _CONFIGURATION)
    logged = Companions(stack, "targetBucket", "aws:s3/bucketLogging:BucketLogging")
    for bucket in stack.of(*BUCKETS):
        if logged.of(bucket):
            continue
        configured = said.of(bucket)
        if configured:
            for each in configured:
                yield from _judged(each)
        elif own := next((key for key in _OWN if bucket.said(key) is not None), ""):
            yield from _of(bucket, customer_key(bucket, f"{own}.{_OWN[own]}", "its objects"))
        elif said.strays or logged.strays:
            yield Undecided("serverSideEncryptionConfiguration")
        else:
            yield Finding("", "has no key of its own, so whoever reaches its objects reads them", bucket)


def _judged(configuration: Resource) -> Iterator[Judgement]:
    if configuration.get("rules") is UNKNOWN:
        yield Undecided("rules")
    for path, _ in configuration.items("rules"):
        default = f"{path}.applyServerSideEncryptionByDefault"
        yield from _of(configuration, customer_key(configuration, f"{default}.kmsMasterKeyId", "its objects"))


def _of(resource: Resource, judgements: Iterator[Judgement]) -> Iterator[Judgement]:
    """The same, told of this resource of the stack."""
    for each in judgements:
        yield Finding(each.path, each.problem, resource) if isinstance(each, Finding) else each


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Judgement]:
    """Buckets of Google Cloud; but those that others deliver their usage logs to."""
    buckets = stack.of("gcp:storage/bucket:Bucket")
    logs: list[Any] = [each.get("logging.logBucket") for each in buckets]
    comes_from = {urn for each in buckets for urn in each.property_dependencies.get("logging", ())}
    for bucket in buckets:
        name = bucket.get("name")
        if bucket.urn in comes_from or (name is not UNKNOWN and name is not None and name in logs):
            continue
        yield from _of(bucket, customer_key(bucket, "encryption.defaultKmsKeyName", "its objects"))
