"""Buckets are encrypted with a customer-managed key."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ..framework import Outcome, Policy, Resource, Stack, Violation, check_each
from ..framework.customer_keys import customer_key
from ..framework.related_resources import BUCKETS, RelatedResources

POLICY = Policy(
    title="Buckets with a customer-managed key",
    severity="medium",
    description="Objects are encrypted with a customer-managed key, so that a wrong bucket policy by itself "
    "discloses nothing and every use of the key is logged. A bucket for access logs is exempt: the services "
    "that write them support only the provider's key.",
    remediation="Add a BucketServerSideEncryptionConfiguration with `aws:kms` and `kmsMasterKeyId`; set "
    "`encryption.defaultKmsKeyName` on Google Cloud.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

_CONFIGURATION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
# The bucket's inline configuration: the present property, and that of older programs.
_INLINE = {
    "serverSideEncryptionConfiguration": "rule.applyServerSideEncryptionByDefault.kmsMasterKeyId",
    "serverSideEncryptionConfigurations": (
        "[0].rules[0].applyServerSideEncryptionByDefaults[0].kmsMasterKeyId"
    ),
}


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Outcome]:
    """S3 buckets, except those for access logs. Their default is S3's own key."""
    configurations = RelatedResources(stack, "bucket", _CONFIGURATION)
    logging = RelatedResources(stack, "targetBucket", "aws:s3/bucketLogging:BucketLogging")
    yield from check_each(stack.of(*BUCKETS), _check_bucket, configurations, logging)


def _check_bucket(
    bucket: Resource, configurations: RelatedResources, logging: RelatedResources
) -> Iterator[Outcome]:
    if logging.of(bucket):
        return
    configured = configurations.of(bucket)
    inline = next((key for key in _INLINE if bucket.raw(key) is not None and _is_declared(bucket, key)), None)
    if configured:
        yield from check_each(configured, _check_configuration)
    elif inline is not None:
        yield from customer_key(bucket, f"{inline}.{_INLINE[inline]}", "its objects")
    else:
        configurations.require_known_targets()
        logging.require_known_targets()
        yield Violation("", "has no customer-managed key, so access to its objects is enough to read them")


def _is_declared(bucket: Resource, key: str) -> bool:
    """Return whether the program sets the property; in a preview the cloud's own values are unknown."""
    return bool(bucket.sources(key)) or bucket.declared(key) is not None


def _check_configuration(configuration: Resource) -> Iterator[Outcome]:
    for rule in configuration.entries("rules"):
        path = rule.where("applyServerSideEncryptionByDefault.kmsMasterKeyId")
        yield from customer_key(configuration, path, "its objects")


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Outcome]:
    """Buckets of Google Cloud, except those for usage logs of other buckets."""
    buckets = stack.of("gcp:storage/bucket:Bucket")
    names = [bucket.raw("logging.logBucket") for bucket in buckets]
    urns = {urn for bucket in buckets for urn in bucket.sources("logging")}
    yield from check_each(buckets, _check_google_bucket, names, urns)


def _check_google_bucket(
    bucket: Resource, log_names: list[Any], log_urns: Collection[str]
) -> Iterator[Outcome]:
    name = bucket.raw("name")
    if bucket.urn not in log_urns and not (isinstance(name, str) and name in log_names):
        yield from customer_key(bucket, "encryption.defaultKmsKeyName", "its objects")
