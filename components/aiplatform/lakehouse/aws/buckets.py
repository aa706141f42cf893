"""The buckets of a lakehouse, their key, and the bucket of their access logs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import Input, Output
from pulumi_aws import kms, s3

from aiplatform._shared.aws.buckets import (
    AccessLogs,
    Bucket,
    deleted_after,
    deny,
    encrypted,
    expired_after,
    log_bucket,
    logged,
    other_keys,
    plain_http,
    private_bucket,
    versioned,
    with_policy,
)
from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, document, key_policy, logs_may_use_key
from aiplatform.lakehouse.aws.billing_permissions import billing_purposes, exports_may_use_key
from aiplatform.lakehouse.aws.context import FILES, PLATFORM, SPILL, TABLES, Context
from aiplatform.lakehouse.aws.names import JOB_LOGS, KEEPER_LOGS, KEY_ALIAS, STREAM_LOGS, WORKGROUP
from aiplatform.lakehouse.aws.principals import Principal, workgroup_name
from aiplatform.lakehouse.aws.roles import Roles
from aiplatform.lakehouse.aws.s3_tables import maintenance_may_use_key
from aiplatform.lakehouse.tables import ZONES, Zone

LOGS: Final = "logs"
READ_OBJECTS: Final = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication")
"""Actions that read the bytes of an object; replication has a separate one."""
_WRITE: Final = ("s3:PutObject",)
SPILL_DAYS: Final = 7
"""Longer than any job runs."""


@dataclass(frozen=True)
class Buckets:
    """The zones' buckets, and the bucket of their access logs."""

    zones: Mapping[Zone, Bucket]
    logs: AccessLogs


def create_key(context: Context, principals: Sequence[Principal]) -> Key:
    """Return the key of all data, a new one where the settings name none. A lost key is lost data: its
    deletion can be cancelled for 30 days. principals: those of grants."""
    stated = context.settings.kms_key
    if stated is not None:
        return existing_key(stated, context.account, "LakehouseArgs.kms_key")
    local = [principal.arn for principal in principals if principal.local]
    key = kms.Key(
        f"{context.name}-key",
        description=f"Data of {context.settings.prefix}'s lakehouse",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=Output.all(*local).apply(
            lambda arns: key_policy(
                context.account,
                _athena_may_use_key(context),
                *_deny_results_of_others(context, arns),
                logs_may_use_key(context.account, *_log_groups(context)),
                *([maintenance_may_use_key(context)] if context.uses_s3_tables else []),
                *([exports_may_use_key(context)] if context.settings.billing_export is not None else []),
                *([_job_logs_may_use_key(context)] if context.settings.batches or context.quality else []),
            )
        ),
        tags=context.tags("lakehouse"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(context.settings.prefix), context.options())
    return Key(key.arn)


def _log_groups(context: Context) -> list[str]:
    """Return the names of the log groups that the key encrypts."""
    groups = [KEEPER_LOGS, *([STREAM_LOGS] if context.settings.streams else [])]
    return [group.of(context.settings.prefix) for group in groups]


def _job_logs_may_use_key(context: Context) -> Statement:
    """CloudWatch Logs for jobs, whose log groups Glue itself names and creates."""
    groups = context.account.arn("logs", f"log-group:{JOB_LOGS}*")
    return {
        **logs_may_use_key(context.account),
        "Sid": "JobsLog",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }


def _athena_may_use_key(context: Context) -> Statement:
    """Athena encrypts the results of the workgroups' queries (Athena user guide, "Encrypt managed query
    results")."""
    workgroup = context.account.arn("athena", f"workgroup/{WORKGROUP.of(context.settings.prefix)}-*")
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
            "StringEquals": {"aws:SourceAccount": context.account.account_id},
        },
    }


def _deny_results_of_others(context: Context, arns: Sequence[str]) -> Iterator[Statement]:
    """Only its principal decrypts the results of a workgroup: IAM may allow others to read in every
    workgroup, as AmazonAthenaFullAccess does. Athena itself uses the key as a service, which has no arn."""
    for index, arn in enumerate(sorted(arns)):
        workgroup = context.account.arn("athena", f"workgroup/{workgroup_name(context.settings.prefix, arn)}")
        yield {
            "Sid": f"ResultsOfOthers{index}",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {
                "ArnLike": {"kms:EncryptionContext:aws:athena:arn": workgroup},
                "ArnNotEquals": {"aws:PrincipalArn": arn},
                "Bool": {"aws:PrincipalIsAWSService": "false"},
            },
        }


def create_buckets(context: Context, key: Key, roles: Roles) -> Buckets:
    """Create a bucket for each zone, and the one of their access logs."""
    logs = log_bucket(
        context,
        LOGS,
        (*ZONES, *billing_purposes(context)),
        context.settings.access_log_days,
        force_destroy=context.settings.force_destroy,
        existing=context.settings.access_log_bucket,
    )
    return Buckets({zone: _zone_bucket(context, zone, key, logs, roles) for zone in ZONES}, logs)


def _zone_bucket(context: Context, zone: Zone, key: Key, logs: AccessLogs, roles: Roles) -> Bucket:
    hold = context.settings.legal_hold if zone == "raw" else None
    bucket = private_bucket(
        context, zone, force_destroy=context.settings.force_destroy, object_lock=hold is not None
    )
    name = bucket.bucket.bucket
    policy = Output.all(
        key.arn, Output.all(*_table_roles(context, roles)), Output.all(*_file_roles(context, zone, roles))
    ).apply(lambda known: _policy(context, zone, str(known[0]), known[1], known[2]))
    versioning = versioned(context, zone, name)
    bucket.ready.extend([versioning, encrypted(context, zone, name, key)])
    bucket.ready.append(with_policy(context, zone, bucket, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{zone}",
        bucket=name,
        rules=_lifecycle(context, zone),
        # S3 accepts rules about noncurrent versions only in a versioned bucket.
        opts=context.options(versioning, data=True),
    )
    logged(context, zone, name, logs)
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
        bucket.ready.append(lock)
    settings = context.settings
    if settings.table_events or (zone == "raw" and settings.arrival_events):
        s3.BucketNotification(
            f"{context.name}-{zone}", bucket=name, eventbridge=True, opts=context.options(data=True)
        )
    return bucket


def _common_roles(roles: Roles) -> list[Input[str]]:
    """The roles that access tables and files of every zone."""
    return [role.arn for role in (roles.writer, roles.streams, roles.quality) if role is not None]


def _table_roles(context: Context, roles: Roles) -> list[Input[str]]:
    """The roles that access objects below `tables/`. The deployer writes the first metadata of a table."""
    return [roles.lake_formation.arn, *_common_roles(roles), context.deployer_arn]


def _file_roles(context: Context, zone: Zone, roles: Roles) -> list[Input[str]]:
    """The roles that access all other objects of a zone."""
    captures = [role.arn for role in roles.captures.values() if zone == "raw"]
    readers = context.settings.file_readers if zone == "raw" else []
    return [*_common_roles(roles), *captures, *readers, context.deployer_arn]


def _policy(context: Context, zone: Zone, key_arn: str, tables: Sequence[str], files: Sequence[str]) -> str:
    """Require TLS and the key, and allow only the roles to read objects: a principal that reads a table's
    files from the bucket circumvents Lake Formation, and columns of uploaded and temporary files have no
    classification. tables, files: arns of the roles."""
    roles = sorted({*tables, *files}, key=[*tables, *files].index)
    return document(
        plain_http(context, zone),
        *other_keys(context, zone, key_arn),
        # Reads of the whole bucket, so that no folder is left out. A principal that only writes to `files/`,
        # as a team's uploader or a transfer service, is allowed by its own policy.
        _deny_others("PastRoles", READ_OBJECTS, context.bucket_arn(zone, "/*"), roles),
        # Jobs with permissions on every table run or load what is in these two folders.
        _deny_others("ScriptsPastRoles", _WRITE, context.bucket_arn(zone, f"/{PLATFORM}/*"), roles),
        _deny_others("SpillPastRoles", _WRITE, context.bucket_arn(zone, f"/{SPILL}/*"), roles),
        # Tables: fewer roles, and writes too.
        _deny_others(
            "PastGovernance", (*READ_OBJECTS, *_WRITE), context.bucket_arn(zone, f"/{TABLES}/*"), tables
        ),
    )


def _deny_others(sid: str, actions: Sequence[str], objects: str, roles: Sequence[str]) -> Statement:
    return deny(sid, actions, objects, {"ArnNotEquals": {"aws:PrincipalArn": list(roles)}})


def _lifecycle(context: Context, zone: Zone) -> list[s3.BucketLifecycleConfigurationRuleArgs]:
    """Only deleted objects and files outside of tables expire: an old file may be part of a table's current
    snapshot."""
    days = context.settings.zones.of(zone).file_days
    files = [] if days is None else [expired_after("files", f"{FILES}/", days)]
    # Temporary files of Spark are of no use after the job's end.
    spill = [expired_after("spill", f"{SPILL}/", SPILL_DAYS)] if zone == "raw" else []
    return [deleted_after(context.settings.deleted_days(zone)), *files, *spill]
