"""Key and buckets of a feature store: the registry's, and one a principal for its files."""

from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_aws import kms, s3

from aiplatform._shared.aws.buckets import (
    closed,
    deleted_after,
    deny,
    encrypted,
    expired_after,
    other_keys,
    plain_http,
    versioned,
    with_policy,
)
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import document, key_policy
from aiplatform.feature_store.args import KEY_ALIAS
from aiplatform.feature_store.aws.context import REGISTRY, Context, Staging
from aiplatform.feature_store.config import EMPTY
from aiplatform.feature_store.config import REGISTRY as OBJECT

_DELETED_DAYS = 30
"""How long a registry that was overwritten can be called back."""


@dataclass(frozen=True)
class Buckets:
    """The registry's bucket, and what must be there before anyone uses it."""

    registry: s3.Bucket
    ready: list[pulumi.Resource]


def key(context: Context) -> kms.Key:
    """The key of registry, online store and staging. A lost key is lost data: 30 days to call it back."""
    made = kms.Key(
        f"{context.name}-key",
        description=f"Feature store of {context.settings.prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.place),
        tags=context.tags("features"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", made, KEY_ALIAS.of(context.settings.prefix), context.options())
    return made


def registry(context: Context, key: kms.Key) -> Buckets:
    """The registry, which begins empty, and is Feast's from then on."""
    registry = closed(context, REGISTRY, force_destroy=context.settings.force_destroy)
    registry.ready.append(encrypted(context, REGISTRY, registry.bucket.bucket, key))
    policy = Output.from_input(key.arn).apply(
        lambda arn: document(plain_http(context, REGISTRY), *other_keys(context, REGISTRY, arn))
    )
    registry.ready.append(with_policy(context, REGISTRY, registry, policy))
    versions = versioned(context, REGISTRY, registry.bucket.bucket)
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{REGISTRY}",
        bucket=registry.bucket.bucket,
        rules=[deleted_after(_DELETED_DAYS)],
        # S3 takes rules about noncurrent versions only where there are versions.
        opts=context.options(versions, data=True),
    )
    ready = [versions, *registry.ready]
    if context.settings.registry.kind == "bucket":
        first = s3.BucketObjectv2(
            f"{context.name}-{REGISTRY}",
            bucket=registry.bucket.bucket,
            key=OBJECT,
            content=EMPTY,
            content_type="application/octet-stream",
            opts=context.options(
                versions,
                *registry.ready,
                data=True,
                # What Feast writes into it afterwards is no drift.
                ignore_changes=["content", "contentType", "etag", "metadata", "serverSideEncryption"],
            ),
        )
        ready.append(first)
    return Buckets(registry.bucket, ready)


def staging(made: Staging, key: kms.Key) -> list[pulumi.Resource]:
    """The bucket of one principal, in which no other reads or writes, administrators included. Answers what
    must be there before it is used."""
    bucket = closed(made, made.purpose, force_destroy=True)
    bucket.ready.append(encrypted(made, made.purpose, bucket.bucket.bucket, key))
    policy = Output.all(key.arn, made.principal).apply(
        lambda arns: document(
            plain_http(made, made.purpose),
            *other_keys(made, made.purpose, str(arns[0])),
            deny(
                "AnotherPrincipal",
                ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
                made.bucket_arn(path="/*"),
                {"ArnNotEquals": {"aws:PrincipalArn": str(arns[1])}},
            ),
        )
    )
    bucket.ready.append(with_policy(made, made.purpose, bucket, policy))
    lifecycle = s3.BucketLifecycleConfiguration(
        f"{made.name}-{made.purpose}",
        bucket=bucket.bucket.bucket,
        rules=[expired_after("left", "", made.context.settings.staging_days)],
        opts=made.options(),
    )
    return [bucket.bucket, *bucket.ready, lifecycle]
