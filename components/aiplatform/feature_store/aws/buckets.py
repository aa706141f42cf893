"""Key and buckets of a feature store: the registry's, and one for each principal's files."""

from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_aws import kms, s3

from aiplatform._shared.aws.buckets import (
    deleted_after,
    deny,
    encrypted,
    expired_after,
    other_keys,
    plain_http,
    private_bucket,
    versioned,
    with_policy,
)
from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import document, key_policy
from aiplatform.feature_store.args import KEY_ALIAS
from aiplatform.feature_store.aws.context import REGISTRY, Context, Staging
from aiplatform.feature_store.config import EMPTY
from aiplatform.feature_store.config import REGISTRY as OBJECT

_DELETED_DAYS = 30
"""How long an overwritten registry can be restored."""


@dataclass(frozen=True)
class Registry:
    """The registry's bucket. ready: what its users depend on."""

    bucket: s3.Bucket
    ready: list[pulumi.Resource]


def create_key(context: Context) -> Key:
    """Return the key of registry, online store and staging, a new one where the settings name none. A lost
    key is lost data: its deletion can be cancelled for 30 days."""
    stated = context.settings.kms_key
    if stated is not None:
        return existing_key(stated, context.account, "FeatureStoreArgs.kms_key")
    key = kms.Key(
        f"{context.name}-key",
        description=f"Feature store of {context.settings.prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.account),
        tags=context.tags("features"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(context.settings.prefix), context.options())
    return Key(key.arn)


def create_registry(context: Context, key: Key) -> Registry:
    """Create the registry, an empty one, which Feast changes from then on."""
    registry = private_bucket(context, REGISTRY, force_destroy=context.settings.force_destroy)
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
        # S3 accepts rules about noncurrent versions only in a versioned bucket.
        opts=context.options(versions, data=True),
    )
    ready = [versions, *registry.ready]
    if context.settings.registry.kind == "bucket":
        empty_registry = s3.BucketObjectv2(
            f"{context.name}-{REGISTRY}",
            bucket=registry.bucket.bucket,
            key=OBJECT,
            content=EMPTY,
            content_type="application/octet-stream",
            opts=context.options(
                versions,
                *registry.ready,
                data=True,
                # Later writes of Feast are no drift.
                ignore_changes=["content", "contentType", "etag", "metadata", "serverSideEncryption"],
            ),
        )
        ready.append(empty_registry)
    return Registry(registry.bucket, ready)


def create_staging_bucket(staging: Staging, key: Key) -> list[pulumi.Resource]:
    """Create the bucket of one principal, in which no other reads or writes, administrators included. Returns
    what its users depend on."""
    bucket = private_bucket(staging, staging.purpose, force_destroy=True)
    bucket.ready.append(encrypted(staging, staging.purpose, bucket.bucket.bucket, key))
    policy = Output.all(key.arn, staging.principal).apply(
        lambda arns: document(
            plain_http(staging, staging.purpose),
            *other_keys(staging, staging.purpose, str(arns[0])),
            deny(
                "AnotherPrincipal",
                ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
                staging.bucket_arn(path="/*"),
                {"ArnNotEquals": {"aws:PrincipalArn": str(arns[1])}},
            ),
        )
    )
    bucket.ready.append(with_policy(staging, staging.purpose, bucket, policy))
    lifecycle = s3.BucketLifecycleConfiguration(
        f"{staging.name}-{staging.purpose}",
        bucket=bucket.bucket.bucket,
        rules=[expired_after("left", "", staging.context.settings.staging_days)],
        opts=staging.options(),
    )
    return [bucket.bucket, *bucket.ready, lifecycle]
