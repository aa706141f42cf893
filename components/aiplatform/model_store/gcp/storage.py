"""The key of a model store on Google Cloud, and the buckets of checkpoints, releases and usage logs."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input
from pulumi_gcp import storage

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.access_logs import UsageLogs, log_bucket
from aiplatform._shared.gcp.keys import data_key, grant_member_key_use
from aiplatform._shared.outputs import merged
from aiplatform.model_store.gcp.context import Context

_DAY: Final = 24 * 3600
_ABANDONED_DAYS: Final = 7
_DELETED_DAYS: Final = 30


@dataclass(frozen=True)
class Key:
    """The key of the buckets. grant: Cloud Storage's permission to use it."""

    id: Input[str]
    grant: Dependency


@dataclass(frozen=True)
class Buckets:
    """The buckets. checkpoints: None where there is one that exists."""

    checkpoints: storage.Bucket | None
    releases: storage.Bucket
    logs: UsageLogs


def create_key(context: Context) -> Key:
    """Return the key of the buckets, which is created where none is stated."""
    key = data_key(context)
    grant = grant_member_key_use(
        context.parent,
        f"{context.name}-key-storage",
        key,
        pulumi.Output.concat("serviceAccount:", context.storage_agent()),
        depends_on=[context.apis["cloudkms"]],
        retain=context.settings.retain_data,
    )
    return Key(key.id, grant)


def create_buckets(context: Context, key: Key) -> Buckets:
    """Create the buckets."""
    logs = _log_bucket(context)
    brought = context.settings.checkpoints.bucket is not None
    checkpoints = None if brought else _checkpoints(context, key, logs)
    return Buckets(checkpoints, _releases(context, key, logs), logs)


def _checkpoints(context: Context, key: Key, logs: UsageLogs) -> storage.Bucket:
    """Create the bucket of checkpoints, without versions and soft delete: each training replaces hundreds of
    gigabytes, which nothing reads again."""
    expiry = storage.BucketLifecycleRuleArgs(
        action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
        condition=storage.BucketLifecycleRuleConditionArgs(age=context.settings.checkpoints.expire_days),
    )
    return _bucket(
        context,
        "checkpoints",
        key,
        logs,
        versioning=storage.BucketVersioningArgs(enabled=False),
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=0),
        lifecycle_rules=[expiry, _abandoned()],
    )


def _releases(context: Context, key: Key, logs: UsageLogs) -> storage.Bucket:
    """Create the bucket of releases. Without versions, which Cloud Storage refuses together with a retention
    policy: its writers cannot delete, and to overwrite an object is to delete it."""
    releases = context.settings.releases
    retention = releases.retention
    return _bucket(
        context,
        "releases",
        key,
        logs,
        versioning=storage.BucketVersioningArgs(enabled=False),
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=(releases.deleted_days or _DELETED_DAYS) * _DAY
        ),
        retention_policy=storage.BucketRetentionPolicyArgs(
            retention_period=str(retention.days * _DAY), is_locked=retention.mode == "compliance"
        )
        if retention is not None
        else None,
        lifecycle_rules=[_abandoned()],
    )


def _bucket(context: Context, purpose: str, key: Key, logs: UsageLogs, **more: Any) -> storage.Bucket:
    return storage.Bucket(
        f"{context.name}-{purpose}",
        project=context.project,
        name=context.bucket(purpose),
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=key.id),
        logging=logs.of(purpose),
        force_destroy=context.settings.force_destroy,
        # By it policies know what a bucket contains.
        labels=merged(context.settings.tags, {"purpose": purpose}),
        # Names of buckets are unique in all of Google Cloud.
        opts=context.options(key.grant, data=True, delete_before_replace=True),
        **more,
    )


def _abandoned() -> storage.BucketLifecycleRuleArgs:
    return storage.BucketLifecycleRuleArgs(
        action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
        condition=storage.BucketLifecycleRuleConditionArgs(age=_ABANDONED_DAYS),
    )


def _log_bucket(context: Context) -> UsageLogs:
    return log_bucket(
        f"{context.name}-logs",
        name=context.bucket("model-store-logs"),
        project=context.project,
        region=context.region,
        days=context.settings.access_log_days,
        force_destroy=context.settings.force_destroy,
        labels=context.labels,
        opts=context.options(context.apis["storage"], data=True, delete_before_replace=True),
        grant_opts=context.options(data=True),
        existing=context.settings.access_log_bucket,
    )
