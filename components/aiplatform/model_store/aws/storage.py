"""The key of a model store on AWS, and the buckets of checkpoints, releases and access logs."""

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi import Input, Output
from pulumi_aws import kms, s3

from aiplatform._shared.aws.buckets import (
    AccessLogs,
    Bucket,
    deny,
    encrypted,
    expired_after,
    incomplete_uploads,
    log_bucket,
    logged,
    other_keys,
    other_namespaces,
    plain_http,
    private_bucket,
    versioned,
    with_policy,
)
from aiplatform._shared.aws.keys import existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, document, key_policy
from aiplatform._shared.outputs import mapped
from aiplatform.model_store.args import KEY_ALIAS
from aiplatform.model_store.aws.context import CHECKPOINTS, LOGS, RELEASES, Context


@dataclass(frozen=True)
class Buckets:
    """The buckets. checkpoints: None where there is one that exists."""

    checkpoints: Bucket | None
    releases: Bucket
    logs: AccessLogs


def create_key(context: Context) -> Input[str]:
    """Return the arn of the key of the buckets, which is created where none is stated. A lost key is lost
    data: its deletion can be cancelled for 30 days."""
    if context.settings.kms_key is not None:
        return existing_key(context.settings.kms_key, context.account, "ModelStoreArgs.kms_key").arn
    key = kms.Key(
        f"{context.name}-key",
        description=f"Checkpoints and releases of {context.settings.prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.account),
        tags=context.tags("model-store"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(context.settings.prefix), context.options())
    return key.arn


def create_buckets(context: Context, key: Input[str], writers: Sequence[Output[str]]) -> Buckets:
    """Create the buckets. writers: the arns of the only roles that create releases."""
    settings = context.settings
    brought = settings.checkpoints.bucket is not None
    logs = log_bucket(
        context,
        LOGS,
        [RELEASES] if brought else [CHECKPOINTS, RELEASES],
        settings.access_log_days,
        force_destroy=settings.force_destroy,
        existing=settings.access_log_bucket,
    )
    checkpoints = None if brought else _checkpoints(context, key, logs)
    return Buckets(checkpoints, _releases(context, key, writers, logs), logs)


def _checkpoints(context: Context, key: Input[str], logs: AccessLogs) -> Bucket:
    """Create the bucket of checkpoints, without versions: each training replaces hundreds of gigabytes, which
    nothing reads again."""
    bucket = private_bucket(context, CHECKPOINTS, force_destroy=context.settings.force_destroy)
    name = bucket.bucket.bucket
    bucket.ready.append(encrypted(context, CHECKPOINTS, name, key))
    policy = mapped(
        key,
        lambda arn: document(
            plain_http(context, CHECKPOINTS),
            *other_keys(context, CHECKPOINTS, arn),
            other_namespaces(context, CHECKPOINTS),
        ),
    )
    bucket.ready.append(with_policy(context, CHECKPOINTS, bucket, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{CHECKPOINTS}",
        bucket=name,
        rules=[expired_after("old", "", context.settings.checkpoints.expire_days)],
        opts=context.options(data=True),
    )
    logged(context, CHECKPOINTS, name, logs)
    return bucket


def _releases(context: Context, key: Input[str], writers: Sequence[Output[str]], logs: AccessLogs) -> Bucket:
    """Create the bucket of releases. Its policy applies to every principal, the deployer included, until it
    is deleted with the bucket."""
    settings = context.settings
    retention = settings.releases.retention
    # Also without a retention, so that one can be added: S3 enables Object Lock when it creates a bucket.
    bucket = private_bucket(context, RELEASES, force_destroy=settings.force_destroy, object_lock=True)
    name = bucket.bucket.bucket
    versioning = versioned(context, RELEASES, name)
    bucket.ready.extend([versioning, encrypted(context, RELEASES, name, key)])
    if retention is not None:
        default = s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
            mode=retention.mode.upper(), days=retention.days
        )
        bucket.ready.append(
            s3.BucketObjectLockConfiguration(
                f"{context.name}-{RELEASES}",
                bucket=name,
                rule=s3.BucketObjectLockConfigurationRuleArgs(default_retention=default),
                opts=context.options(versioning, data=True),
            )
        )
    policy = Output.all(key, *writers).apply(
        lambda arns: document(
            plain_http(context, RELEASES),
            *other_keys(context, RELEASES, str(arns[0])),
            *_immutable(context, [str(arn) for arn in arns[1:]]),
        )
    )
    bucket.ready.append(with_policy(context, RELEASES, bucket, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{RELEASES}",
        bucket=name,
        rules=[incomplete_uploads()],
        opts=context.options(data=True),
    )
    logged(context, RELEASES, name, logs)
    return bucket


def _immutable(context: Context, writers: Sequence[str]) -> list[Statement]:
    """Return statements: only `writers` create objects, none replaces one, and no principal deletes one or
    replicates another bucket's (S3 user guide, "Setting up permissions for live replication").

    Only requests that create an object have the header: those that begin a multipart upload and send its
    parts have none (S3 user guide, "Enforce conditional writes on Amazon S3 buckets"). S3 accepts no header
    for a copy, so a copy is denied, too.
    """
    objects = context.bucket_arn(RELEASES, "/*")
    return [
        deny(
            "OtherWriters", ["s3:PutObject"], objects, {"ArnNotEquals": {"aws:PrincipalArn": list(writers)}}
        ),
        deny(
            "Overwrites",
            ["s3:PutObject"],
            objects,
            {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
        ),
        {
            "Sid": "Deletions",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            "Resource": objects,
        },
        {
            # Replication from another bucket writes without s3:PutObject, and deletes.
            "Sid": "Replicas",
            "Effect": "Deny",
            "Principal": "*",
            "Action": [
                "s3:ObjectOwnerOverrideToBucketOwner",
                "s3:ReplicateDelete",
                "s3:ReplicateObject",
                "s3:ReplicateTags",
            ],
            "Resource": objects,
        },
    ]
