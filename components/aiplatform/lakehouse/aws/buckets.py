"""The buckets of a lakehouse, their key, and the bucket of their access logs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output
from pulumi_aws import kms, s3

from aiplatform._shared.aws.buckets import (
    Bucket,
    closed,
    deleted_after,
    deny,
    encrypted,
    expired_after,
    log_bucket,
    logged,
    other_keys,
    plain_http,
    versioned,
    with_policy,
)
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, document, key_policy, logs_may_use_key
from aiplatform.lakehouse.aws.context import FILES, PLATFORM, SPILL, TABLES, Context
from aiplatform.lakehouse.aws.names import JOB_LOGS, KEEPER_LOGS, KEY_ALIAS, STREAM_LOGS, WORKGROUP
from aiplatform.lakehouse.aws.principals import Principal, workgroup_name
from aiplatform.lakehouse.aws.s3_tables import maintenance_may_use_key
from aiplatform.lakehouse.tables import ZONES, Zone

LOGS: Final = "logs"
_READ: Final = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication")
"""What reads the bytes of an object; replication reads them by an action of its own."""
_WRITE: Final = ("s3:PutObject",)
SPILL_DAYS: Final = 7
"""Longer than any job runs."""


def key(context: Context, principals: Sequence[Principal]) -> kms.Key:
    """The key of all data. A lost key is lost data: 30 days to call it back. principals: those of grants."""
    local = [each.arn for each in principals if each.local]
    made = kms.Key(
        f"{context.name}-key",
        description=f"Data of {context.settings.prefix}'s lakehouse",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=Output.all(*local).apply(
            lambda arns: key_policy(
                context.place,
                _athena_may_use_key(context),
                *_results(context, arns),
                logs_may_use_key(context.place, *log_groups(context)),
                *([maintenance_may_use_key(context)] if context.in_s3_tables else []),
                *([_jobs_log(context)] if context.settings.batches or context.quality else []),
            )
        ),
        tags=context.tags("lakehouse"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", made, KEY_ALIAS.of(context.settings.prefix), context.options())
    return made


def log_groups(context: Context) -> list[str]:
    """The log groups under the key."""
    groups = [KEEPER_LOGS, *([STREAM_LOGS] if context.settings.streams else [])]
    return [group.of(context.settings.prefix) for group in groups]


def _jobs_log(context: Context) -> Statement:
    """CloudWatch Logs for jobs, whose log groups Glue names and makes itself."""
    one = logs_may_use_key(context.place)
    groups = context.place.arn("logs", f"log-group:{JOB_LOGS}*")
    return {
        **one,
        "Sid": "JobsLog",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }


def _athena_may_use_key(context: Context) -> Statement:
    """Athena keeps results of the workgroups' queries under the key (Athena user guide, "Encrypt managed
    query results")."""
    workgroup = context.place.arn("athena", f"workgroup/{WORKGROUP.of(context.settings.prefix)}-*")
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


def _results(context: Context, arns: Sequence[str]) -> Iterator[Statement]:
    """Results of a workgroup are opened by its principal alone: IAM may let others read in every workgroup,
    as AmazonAthenaFullAccess does. Athena itself uses the key as a service, which has no arn."""
    for index, arn in enumerate(sorted(arns)):
        workgroup = context.place.arn("athena", f"workgroup/{workgroup_name(context.settings.prefix, arn)}")
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


@dataclass(frozen=True)
class ObjectRoles:
    """Arns of the roles that may read and write objects: below `tables/`, and in each zone all others."""

    tables: list[pulumi.Input[str]]
    files: dict[Zone, list[pulumi.Input[str]]]


def buckets(
    context: Context, key: kms.Key, object_roles: ObjectRoles
) -> tuple[dict[Zone, Bucket], s3.Bucket]:
    """A bucket a zone, and the one of their access logs."""
    logs = log_bucket(
        context, LOGS, ZONES, context.settings.access_log_days, force_destroy=context.settings.force_destroy
    )
    return {zone: _zone(context, zone, key, logs, object_roles) for zone in ZONES}, logs.bucket


def _zone(context: Context, zone: Zone, key: kms.Key, logs: Bucket, object_roles: ObjectRoles) -> Bucket:
    hold = context.settings.legal_hold if zone == "raw" else None
    made = closed(context, zone, force_destroy=context.settings.force_destroy, object_lock=hold is not None)
    name = made.bucket.bucket
    policy = Output.all(
        key.arn, Output.all(*object_roles.tables), Output.all(*object_roles.files[zone])
    ).apply(lambda known: _policy(context, zone, str(known[0]), known[1], known[2]))
    versioning = versioned(context, zone, name)
    made.ready.extend([versioning, encrypted(context, zone, name, key)])
    made.ready.append(with_policy(context, zone, made, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{zone}",
        bucket=name,
        rules=_lifecycle(context, zone),
        # S3 takes rules about noncurrent versions only where there are versions.
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
        made.ready.append(lock)
    if zone == "raw" and context.settings.arrival_events:
        s3.BucketNotification(
            f"{context.name}-{zone}", bucket=name, eventbridge=True, opts=context.options(data=True)
        )
    return made


def _policy(context: Context, zone: Zone, key_arn: str, tables: Sequence[str], files: Sequence[str]) -> str:
    """TLS alone, the key alone, and objects read by their roles alone: whoever reads a table's files from the
    bucket passes by what Lake Formation decides, and of what comes in and is put aside no column has a
    classification yet."""
    known = sorted({*tables, *files}, key=[*tables, *files].index)
    return document(
        plain_http(context, zone),
        *other_keys(context, zone, key_arn),
        # Reading of the whole bucket, so that no folder is left out. Who only writes to `files/`, as a team's
        # uploader or a transfer service, reads nothing; its own policy lets it.
        _others("PastRoles", _READ, context.bucket_arn(zone, "/*"), known),
        # Jobs run or load what is in these two, with rights on every table.
        _others("ScriptsPastRoles", _WRITE, context.bucket_arn(zone, f"/{PLATFORM}/*"), known),
        _others("SpillPastRoles", _WRITE, context.bucket_arn(zone, f"/{SPILL}/*"), known),
        # Of the tables, which fewer roles may reach: writing too.
        _others("PastGovernance", (*_READ, *_WRITE), context.bucket_arn(zone, f"/{TABLES}/*"), tables),
    )


def _others(sid: str, actions: Sequence[str], objects: str, roles: Sequence[str]) -> Statement:
    return deny(sid, actions, objects, {"ArnNotEquals": {"aws:PrincipalArn": list(roles)}})


def _lifecycle(context: Context, zone: Zone) -> list[s3.BucketLifecycleConfigurationRuleArgs]:
    """By age goes only what is no more, and files beside tables: a table's old files may be its newest."""
    days = context.settings.zones.of(zone).file_days
    files = [expired_after("files", f"{FILES}/", days)] if days else []
    # What Spark puts aside of rows is of no use once its job has ended.
    spill = [expired_after("spill", f"{SPILL}/", SPILL_DAYS)] if zone == "raw" else []
    return [deleted_after(context.settings.deleted_days(zone)), *files, *spill]
