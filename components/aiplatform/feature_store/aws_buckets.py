"""Key and buckets of a feature store: one for the registry, one for files between Feast and Athena."""

from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_aws import kms, s3

from aiplatform._aws import document, key_policy
from aiplatform._aws_buckets import (
    Bucket,
    closed,
    deleted_after,
    encrypted,
    expired_after,
    other_keys,
    plain_http,
    versioned,
    with_policy,
)
from aiplatform._aws_logs import name_key
from aiplatform.feature_store.args import KEY_ALIAS
from aiplatform.feature_store.aws_context import REGISTRY, STAGING, Context
from aiplatform.feature_store.config import EMPTY
from aiplatform.feature_store.config import REGISTRY as OBJECT

_DELETED_DAYS = 30
"""How long a registry that was overwritten can be called back."""


@dataclass(frozen=True)
class Buckets:
    """The buckets, and what must be there before anyone uses them."""

    registry: s3.Bucket
    staging: s3.Bucket
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


def buckets(context: Context, key: kms.Key) -> Buckets:
    """Both. The registry begins empty, and is Feast's from then on."""
    registry = _bucket(context, REGISTRY, key)
    versions = versioned(context, REGISTRY, registry.bucket.bucket)
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{REGISTRY}",
        bucket=registry.bucket.bucket,
        rules=[deleted_after(_DELETED_DAYS)],
        # S3 takes rules about noncurrent versions only where there are versions.
        opts=context.options(versions, data=True),
    )
    staging = _bucket(context, STAGING, key)
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{STAGING}",
        bucket=staging.bucket.bucket,
        rules=[expired_after("left", "", context.settings.staging_days)],
        opts=context.options(data=True),
    )
    ready = [versions, *registry.ready, *staging.ready]
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
    return Buckets(registry.bucket, staging.bucket, ready)


def _bucket(context: Context, purpose: str, key: kms.Key) -> Bucket:
    # What is in staging is nobody's data.
    force = context.settings.force_destroy or purpose == STAGING
    made = closed(context, purpose, force_destroy=force)
    made.ready.append(encrypted(context, purpose, made.bucket.bucket, key))
    policy = Output.from_input(key.arn).apply(
        lambda arn: document(plain_http(context, purpose), *other_keys(context, purpose, arn))
    )
    made.ready.append(with_policy(context, purpose, made, policy))
    return made
