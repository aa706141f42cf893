"""The buckets of a lakehouse, their key, and the bucket of their access logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi import Output
from pulumi_aws import kms, s3

from aiplatform._aws import Statement, document, key_policy
from aiplatform._aws_logs import name_key
from aiplatform.lakehouse.args import KEY_ALIAS, WORKGROUP
from aiplatform.lakehouse.aws_context import FILES, TABLES, Context
from aiplatform.lakehouse.tables import ZONES, Zone

LOGS: Final = "logs"
_ABANDONED_DAYS: Final = 7


@dataclass(frozen=True)
class Bucket:
    """A bucket, and what must be said of it before data comes in."""

    bucket: s3.Bucket
    ready: list[pulumi.Resource] = field(default_factory=list[pulumi.Resource])


def key(context: Context) -> kms.Key:
    """The key of all data. A lost key is lost data: 30 days to call it back."""
    made = kms.Key(
        f"{context.name}-key",
        description=f"Data of {context.settings.prefix}'s lakehouse",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.place, _athena_may_use_key(context)),
        tags=context.tags("lakehouse"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", made, KEY_ALIAS.of(context.settings.prefix), context.options())
    return made


def _athena_may_use_key(context: Context) -> Statement:
    """Athena keeps results of the workgroup's queries under the key (Athena user guide, "Encrypt managed
    query results")."""
    workgroup = context.place.arn("athena", f"workgroup/{WORKGROUP.of(context.settings.prefix)}")
    return {
        "Sid": "AthenaKeepsResults",
        "Effect": "Allow",
        "Principal": {"Service": "encryption.athena.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:athena:arn": workgroup,
                "aws:SourceArn": workgroup,
            },
            "StringEquals": {"aws:SourceAccount": context.place.account_id},
        },
    }


def buckets(
    context: Context, key: kms.Key, readers: Sequence[pulumi.Input[str]]
) -> tuple[dict[Zone, Bucket], s3.Bucket]:
    """A bucket a zone, and the one of their access logs. readers: roles that may touch files of tables."""
    logs = _logs(context)
    return {zone: _zone(context, zone, key, logs, readers) for zone in ZONES}, logs.bucket


def _zone(
    context: Context, zone: Zone, key: kms.Key, logs: Bucket, readers: Sequence[pulumi.Input[str]]
) -> Bucket:
    hold = context.settings.legal_hold if zone == "raw" else None
    made = _closed(context, zone, object_lock=hold is not None)
    name = made.bucket.bucket
    policy = Output.all(key.arn, *readers).apply(
        lambda arns: _policy(context, zone, str(arns[0]), [str(arn) for arn in arns[1:]])
    )
    versioning = s3.BucketVersioning(
        f"{context.name}-{zone}",
        bucket=name,
        versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=context.options(data=True),
    )
    made.ready.extend([versioning, _encrypted(context, zone, name, key)])
    made.ready.append(_with_policy(context, zone, made, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{zone}",
        bucket=name,
        rules=_lifecycle(context, zone),
        # S3 takes rules about noncurrent versions only where there are versions.
        opts=context.options(versioning, data=True),
    )
    s3.BucketLogging(
        f"{context.name}-{zone}",
        bucket=name,
        target_bucket=logs.bucket.bucket,
        target_prefix=f"{zone}/",
        opts=context.options(*logs.ready, data=True),
    )
    if hold is not None:
        lock = s3.BucketObjectLockConfiguration(
            f"{context.name}-{zone}",
            bucket=name,
            rule=s3.BucketObjectLockConfigurationRuleArgs(
                default_retention=s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                    mode=hold.mode.upper(), days=hold.days
                )
            ),
            opts=context.options(versioning, data=True),
        )
        made.ready.append(lock)
    if zone == "raw" and context.settings.arrival_events:
        s3.BucketNotification(
            f"{context.name}-{zone}", bucket=name, eventbridge=True, opts=context.options(data=True)
        )
    return made


def _logs(context: Context) -> Bucket:
    """S3 writes access logs only to a bucket whose default encryption is its own, SSE-S3 (S3 user guide,
    "Enabling Amazon S3 server access logging")."""
    made = _closed(context, LOGS)
    name = made.bucket.bucket
    made.ready.append(_encrypted(context, LOGS, name, None))
    policy = document(_plain_http(context, LOGS), _log_delivery(context))
    made.ready.append(_with_policy(context, LOGS, made, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{LOGS}",
        bucket=name,
        rules=[_rule("old", "", days=context.settings.access_log_days)],
        opts=context.options(data=True),
    )
    return made


def _closed(context: Context, purpose: str, *, object_lock: bool = False) -> Bucket:
    """A bucket that no public access, no ACL and no other owner of objects is possible in."""
    bucket = s3.Bucket(
        f"{context.name}-{purpose}",
        bucket=context.bucket(purpose),
        force_destroy=context.settings.force_destroy,
        object_lock_enabled=object_lock,
        tags=context.tags(purpose),
        # There is one bucket of a name in all of AWS.
        opts=context.options(data=True, delete_before_replace=True),
    )
    block = s3.BucketPublicAccessBlock(
        f"{context.name}-{purpose}",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=context.options(data=True),
    )
    ownership = s3.BucketOwnershipControls(
        f"{context.name}-{purpose}",
        bucket=bucket.bucket,
        rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=context.options(data=True),
    )
    return Bucket(bucket, [block, ownership])


def _encrypted(
    context: Context, purpose: str, bucket: pulumi.Input[str], key: kms.Key | None
) -> s3.BucketServerSideEncryptionConfiguration:
    default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256" if key is None else "aws:kms",
        kms_master_key_id=None if key is None else key.arn,
    )
    return s3.BucketServerSideEncryptionConfiguration(
        f"{context.name}-{purpose}",
        bucket=bucket,
        rules=[
            s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=default,
                # One call of KMS for many objects.
                bucket_key_enabled=None if key is None else True,
            )
        ],
        opts=context.options(data=True),
    )


def _with_policy(context: Context, purpose: str, made: Bucket, policy: pulumi.Input[str]) -> s3.BucketPolicy:
    return s3.BucketPolicy(
        f"{context.name}-{purpose}",
        bucket=made.bucket.bucket,
        policy=policy,
        # S3 refuses two changes of one bucket's access at a time.
        opts=context.options(*made.ready, data=True),
    )


def _policy(context: Context, zone: Zone, key_arn: str, readers: Sequence[str]) -> str:
    """TLS alone, the key alone, and files of tables by their roles alone: whoever reads them from the bucket
    passes by what Lake Formation decides."""
    objects = context.bucket_arn(zone, "/*")
    algorithm = "s3:x-amz-server-side-encryption"
    given_key, customer = f"{algorithm}-aws-kms-key-id", f"{algorithm}-customer-algorithm"
    return document(
        _plain_http(context, zone),
        # Without `Null`, a write that leaves all to the bucket's default would be denied too.
        _deny(
            "OtherEncryption",
            ["s3:PutObject"],
            objects,
            {"Null": {algorithm: "false"}, "StringNotEquals": {algorithm: "aws:kms"}},
        ),
        _deny(
            "OtherKey",
            ["s3:PutObject"],
            objects,
            {"Null": {given_key: "false"}, "StringNotEquals": {given_key: key_arn}},
        ),
        _deny("CustomersKey", ["s3:PutObject"], objects, {"Null": {customer: "false"}}),
        _deny(
            "PastGovernance",
            ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            context.bucket_arn(zone, f"/{TABLES}/*"),
            {"ArnNotEquals": {"aws:PrincipalArn": list(readers)}},
        ),
    )


def _deny(
    sid: str,
    actions: Sequence[str],
    resources: str | Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]],
) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
        "Condition": conditions,
    }


def _plain_http(context: Context, purpose: str) -> Statement:
    arns = [context.bucket_arn(purpose), context.bucket_arn(purpose, "/*")]
    return _deny("PlainHttp", ["s3:*"], arns, {"Bool": {"aws:SecureTransport": "false"}})


def _log_delivery(context: Context) -> Statement:
    """S3's logging service, for this lakehouse's buckets alone."""
    return {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": context.bucket_arn(LOGS, "/*"),
        "Condition": {
            "StringEquals": {"aws:SourceAccount": context.place.account_id},
            "ArnEquals": {"aws:SourceArn": [context.bucket_arn(zone) for zone in ZONES]},
        },
    }


def _lifecycle(context: Context, zone: Zone) -> list[s3.BucketLifecycleConfigurationRuleArgs]:
    """By age goes only what is no more, and files beside tables: a table's old files may be its newest."""
    deleted = s3.BucketLifecycleConfigurationRuleArgs(
        id="deleted",
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=context.settings.deleted_days(zone)
        ),
        expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
        abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=_ABANDONED_DAYS
        ),
    )
    days = context.settings.zones.of(zone).file_days
    return [deleted, *([_rule("files", f"{FILES}/", days=days)] if days else [])]


def _rule(name: str, prefix: str, *, days: int) -> s3.BucketLifecycleConfigurationRuleArgs:
    return s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
    )
