"""The buckets of a lakehouse on Google Cloud, and their key."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Output
from pulumi_gcp import bigquery, organizations, projects, storage

from aiplatform._shared.gcp.keys import data_key, let_use
from aiplatform._shared.principals import members, renamed
from aiplatform.lakehouse.gcp.context import FILES, Context, Key
from aiplatform.lakehouse.tables import ZONES, Zone

_SOFT_DELETE_DAYS: Final = 7
"""The least that Cloud Storage keeps what was deleted for, versions that a lifecycle rule took away
included."""
_ABANDONED_DAYS: Final = 7
_DAY: Final = 24 * 3600
OBJECT_USER: Final = "roles/storage.objectUser"
BUCKET_READER: Final = "roles/storage.legacyBucketReader"
"""To see a bucket and list its objects, on the bucket alone."""


def key(
    context: Context, pubsub: projects.ServiceIdentity | None, dataproc: projects.ServiceIdentity | None
) -> Key:
    """The key of all data, for the services that keep any. A lost key is lost data: a month to call it
    back. dataproc: the agent of batches. Their disks are encrypted by Compute Engine's agent ("Use CMEK with
    Serverless for Apache Spark")."""
    settings = context.settings
    crypto_key = data_key(context)
    users: dict[str, Output[str]] = {"storage": _storage(context), "bigquery": bigquery_agent(context)}
    if pubsub is not None:
        users["pubsub"] = pubsub.email
    if dataproc is not None:
        users["dataproc"] = dataproc.email
        users["compute"] = _compute(context)
    return Key(
        crypto_key,
        [
            let_use(
                context.parent,
                f"{context.name}-key-{service}",
                crypto_key,
                email,
                retain=settings.retain_data,
            )
            for service, email in users.items()
        ],
    )


def _storage(context: Context) -> Output[str]:
    answer = storage.get_project_service_account_output(
        project=context.project,
        opts=pulumi.InvokeOutputOptions(parent=context.parent, depends_on=[context.apis["storage"]]),
    )
    return answer.email_address


def bigquery_agent(context: Context) -> Output[str]:
    """The account by which BigQuery uses keys of the project. It runs no queries."""
    answer = bigquery.get_default_service_account_output(
        project=context.project,
        opts=pulumi.InvokeOutputOptions(parent=context.parent, depends_on=[context.apis["bigquery"]]),
    )
    return answer.email


def _compute(context: Context) -> Output[str]:
    answer = organizations.get_project_output(
        project_id=context.project,
        opts=pulumi.InvokeOutputOptions(
            parent=context.parent,
            depends_on=[context.apis["cloudresourcemanager"], context.apis["compute"]],
        ),
    )
    return answer.number.apply(lambda number: f"service-{number}@compute-system.iam.gserviceaccount.com")


def buckets(context: Context, key: Key) -> dict[Zone, storage.Bucket]:
    """A bucket a zone, and in it a folder of files that the writers alone use."""
    return {zone: _zone(context, zone, key) for zone in ZONES}


def _zone(context: Context, zone: Zone, key: Key) -> storage.Bucket:
    hold = context.settings.legal_hold if zone == "raw" else None
    bucket = storage.Bucket(
        f"{context.name}-{zone}",
        project=context.project,
        name=context.bucket(zone),
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=key.key.id),
        # Under a retention policy nothing is overwritten or deleted before its time, and Cloud Storage takes
        # no versions beside one.
        versioning=storage.BucketVersioningArgs(enabled=hold is None),
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=_SOFT_DELETE_DAYS * _DAY
        ),
        retention_policy=storage.BucketRetentionPolicyArgs(
            retention_period=str(hold.days * _DAY), is_locked=hold.mode == "compliance"
        )
        if hold is not None
        else None,
        lifecycle_rules=_lifecycle(context, zone, versions=hold is None),
        force_destroy=context.settings.force_destroy,
        labels=context.labels,
        # There is one bucket of a name in all of Google Cloud.
        opts=context.options(context.apis["storage"], *key.users, data=True, delete_before_replace=True),
    )
    folder = storage.ManagedFolder(
        f"{context.name}-{zone}-files",
        bucket=bucket.name,
        name=f"{FILES}/",
        # The folder alone: its objects stay, or keep the bucket from being deleted.
        force_destroy=True,
        opts=context.options(data=True, delete_before_replace=True),
    )
    for writer in members(context.settings.writers):
        name = f"{context.name}-{zone}-files-{writer.key}"
        storage.ManagedFolderIamMember(
            name,
            bucket=bucket.name,
            managed_folder=folder.name,
            role=OBJECT_USER,
            member=writer.principal,
            opts=context.options(formerly=renamed(name, f"{context.name}-{zone}-files-{writer.former}")),
        )
    return bucket


def streams(context: Context, key: Key) -> storage.Bucket:
    """The bucket of the tables that BigQuery writes. BigQuery supports neither versions nor a retention
    policy there, and deletes objects below a table that it did not write ("Iceberg managed tables best
    practices"): hence the bucket contains no other data, and a legal hold does not apply to it. What BigQuery
    deletes stays as soft-deleted objects."""
    return storage.Bucket(
        f"{context.name}-streams",
        project=context.project,
        name=context.streams_bucket,
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=key.key.id),
        versioning=storage.BucketVersioningArgs(enabled=False),
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=_SOFT_DELETE_DAYS * _DAY
        ),
        # BigQuery itself deletes what no snapshot of a table needs.
        lifecycle_rules=[_abort_uploads()],
        force_destroy=context.settings.force_destroy,
        labels=context.labels,
        opts=context.options(context.apis["storage"], *key.users, data=True, delete_before_replace=True),
    )


def let_catalog(
    context: Context, made: dict[Zone, storage.Bucket], member: Output[str]
) -> list[pulumi.Resource]:
    """Let the catalog's own service account reach the tables' files, for which it hands out credentials. By
    bucket, as Google asks for ("Enable credential vending")."""
    return [
        storage.BucketIAMMember(
            f"{context.name}-{zone}-catalog",
            bucket=bucket.name,
            role=OBJECT_USER,
            member=member,
            opts=context.options(),
        )
        for zone, bucket in made.items()
    ]


def _abort_uploads() -> storage.BucketLifecycleRuleArgs:
    return storage.BucketLifecycleRuleArgs(
        action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
        condition=storage.BucketLifecycleRuleConditionArgs(age=_ABANDONED_DAYS),
    )


def _lifecycle(context: Context, zone: Zone, *, versions: bool) -> Sequence[storage.BucketLifecycleRuleArgs]:
    """By age goes only what is no more, and files beside tables: a table's old files may be its newest."""
    delete = storage.BucketLifecycleRuleActionArgs(type="Delete")
    rules = [_abort_uploads()]
    if versions:
        deleted = storage.BucketLifecycleRuleConditionArgs(
            days_since_noncurrent_time=context.settings.deleted_days(zone), with_state="ARCHIVED"
        )
        rules.append(storage.BucketLifecycleRuleArgs(action=delete, condition=deleted))
    days = context.settings.zones.of(zone).file_days
    if days is not None:
        old = storage.BucketLifecycleRuleConditionArgs(
            age=days, matches_prefixes=[f"{FILES}/"], with_state="LIVE"
        )
        rules.append(storage.BucketLifecycleRuleArgs(action=delete, condition=old))
    return rules
