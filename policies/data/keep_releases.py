"""Releases of models are neither replaced nor deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..framework import Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.google_bindings import grants
from ..framework.policy_documents import Statement, statements
from ..framework.properties import Deferred
from ..framework.related_resources import BUCKETS, RelatedResources

POLICY = Policy(
    title="Releases are written once",
    severity="high",
    description="What serves a model must not change without a promotion. In a bucket with the tag or label "
    "`purpose: releases` no principal replaces or deletes an object. S3 replaces objects unless the bucket's "
    "policy requires conditional writes; Cloud Storage needs the right to delete for it.",
    remediation="On AWS deny `s3:DeleteObject` and `s3:DeleteObjectVersion` to all, and `s3:PutObject` where "
    "`s3:if-none-match` is null and `s3:ObjectCreationOperation` true. On Google Cloud grant writers "
    "`roles/storage.objectCreator`.",
    frameworks=("NIST 800-53 CM-5", "NIST 800-53 SI-7"),
)

_DELETES: Final = frozenset(
    f"roles/storage.{role}"
    for role in ("admin", "objectAdmin", "objectUser", "legacyBucketOwner", "legacyBucketWriter")
)
"""Predefined roles with storage.objects.delete ("IAM roles for Cloud Storage")."""
_BINDINGS: Final = tuple(
    f"gcp:storage/{kind[0].lower()}{kind[1:]}:{kind}"
    for kind in (
        "BucketIAMMember",
        "BucketIAMBinding",
        "BucketIAMPolicy",
        "ManagedFolderIamMember",
        "ManagedFolderIamBinding",
        "ManagedFolderIamPolicy",
    )
)


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Outcome]:
    """S3 buckets of releases, by their bucket policies."""
    policies = RelatedResources(stack, "bucket", "aws:s3/bucketPolicy:BucketPolicy")
    yield from check_each(stack.of(*BUCKETS), _check_bucket, policies)


def _check_bucket(bucket: Resource, policies: RelatedResources) -> Iterator[Outcome]:
    if bucket.known("tags.purpose") != "releases":
        return
    documents = policies.of(bucket)
    for test, problem in ((_denies_overwrites, "replace"), (_denies_deletions, "delete")):
        if not any_of((entry for document in documents for entry in statements(document)), test):
            policies.require_known_targets()
            yield Violation("policy", f"no policy denies to {problem} a release")


def _denies_overwrites(statement: Statement) -> bool:
    conditions = {
        (operator, key.lower(), str(value).lower())
        for operator, keys in statement.conditions.items()
        for key, value in keys.items()
    }
    required = {
        ("Null", "s3:if-none-match", "true"),
        ("Bool", "s3:objectcreationoperation", "true"),
    }
    return _denies_all(statement, {"s3:PutObject"}) and conditions == required


def _denies_deletions(statement: Statement) -> bool:
    return _denies_all(statement, {"s3:DeleteObject", "s3:DeleteObjectVersion"}) and not statement.conditions


def _denies_all(statement: Statement, actions: set[str]) -> bool:
    """Whether it denies these actions to every principal."""
    stated: set[Any] = {entry.raw() for entry in statement.entries("Action")}
    denies = statement.known("Effect") == "Deny" and statement.raw("Principal") == "*"
    if not (denies and actions <= stated):
        statement.fully_known()
        return False
    return True


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Outcome]:
    """Roles on buckets of releases on Google Cloud, and on managed folders in them."""
    bindings = RelatedResources(stack, "bucket", *_BINDINGS)
    buckets = stack.of("gcp:storage/bucket:Bucket")
    for bucket in buckets:
        yield from check_each(bindings.of(bucket), _check_binding, bucket)
    yield from check_each(buckets, _require_known_bindings, bindings)


def _require_known_bindings(bucket: Resource, bindings: RelatedResources) -> Iterator[Outcome]:
    """Defer where a binding that is not known to be of this bucket may be."""
    if bucket.known("labels.purpose") == "releases":
        bucket.known("name")
        bindings.require_known_targets()
    yield from ()


def _check_binding(binding: Resource, bucket: Resource) -> Iterator[Outcome]:
    if bucket.known("labels.purpose") != "releases":
        return
    for grant in grants(binding):
        if isinstance(grant, Deferred):
            yield grant
        elif grant.role in _DELETES:
            yield Violation(grant.path, f"is {grant.role!r}, which can replace and delete releases")
