"""The buckets of a lakehouse on Google Cloud, and their key."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi import Output
from pulumi_gcp import bigquery, organizations, storage

from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.gcp.keys import data_key, grant_key_use
from aiplatform._shared.principals import members, renamed
from aiplatform.lakehouse.gcp.context import FILES, Context, ServiceAgents
from aiplatform.lakehouse.tables import ZONES, Zone

_SOFT_DELETE_DAYS: Final = 7
"""The shortest time that Cloud Storage keeps deleted objects, versions that a lifecycle rule deleted
included."""
_ABANDONED_DAYS: Final = 7
_DAY: Final = 24 * 3600
OBJECT_USER: Final = "roles/storage.objectUser"
BUCKET_READER: Final = "roles/storage.legacyBucketReader"
"""To get a bucket and list its objects; it can be granted on buckets only."""

Buckets = Mapping[Zone, storage.Bucket]


def create_key(context: Context, agents: ServiceAgents) -> DataKey:
    """Create the key of all data, and allow the services that store data to use it. A lost key is lost data:
    its destruction can be cancelled for a month."""
    crypto_key = data_key(context)
    users: dict[str, Output[str]] = {
        "storage": context.storage_agent(),
        "bigquery": bigquery_agent(context),
    }
    if agents.pubsub is not None:
        users["pubsub"] = _email(agents.pubsub)
    if agents.dataproc is not None:
        users["dataproc"] = _email(agents.dataproc)
        # It encrypts the disks of batches ("Use CMEK with Serverless for Apache Spark").
        users["compute"] = _compute_agent(context)
    return DataKey(
        crypto_key,
        [
            grant_key_use(
                context.parent,
                f"{context.name}-key-{service}",
                crypto_key,
                email,
                retain=context.settings.retain_data,
            )
            for service, email in users.items()
        ],
    )


def _email(member: Output[str]) -> Output[str]:
    return member.apply(lambda text: text.partition(":")[2])


def bigquery_agent(context: Context) -> Output[str]:
    """Return the email of the account by which BigQuery uses keys of the project. It runs no queries."""
    agent = bigquery.get_default_service_account_output(
        project=context.project,
        opts=pulumi.InvokeOutputOptions(parent=context.parent, depends_on=[context.apis["bigquery"]]),
    )
    return agent.email


def _compute_agent(context: Context) -> Output[str]:
    project = organizations.get_project_output(
        project_id=context.project,
        opts=pulumi.InvokeOutputOptions(
            parent=context.parent,
            depends_on=[context.apis["cloudresourcemanager"], context.apis["compute"]],
        ),
    )
    return project.number.apply(lambda number: f"service-{number}@compute-system.iam.gserviceaccount.com")


def create_buckets(context: Context, key: DataKey) -> Buckets:
    """Create a bucket for each zone, and in it a folder of files to which only writers have access."""
    return {zone: _zone_bucket(context, zone, key) for zone in ZONES}


def _zone_bucket(context: Context, zone: Zone, key: DataKey) -> storage.Bucket:
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
        # Under a retention policy nothing is overwritten or deleted before its time, and Cloud Storage does
        # not accept versions in addition.
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
        # Names of buckets are unique in all of Google Cloud.
        opts=context.options(context.apis["storage"], *key.grants, data=True, delete_before_replace=True),
    )
    folder = storage.ManagedFolder(
        f"{context.name}-{zone}-files",
        bucket=bucket.name,
        name=f"{FILES}/",
        # Deletes only the folder: its objects stay, or prevent the deletion of the bucket.
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
            opts=context.options(former_names=renamed(name, f"{context.name}-{zone}-files-{writer.former}")),
        )
    return bucket


def create_streams_bucket(context: Context, key: DataKey) -> storage.Bucket:
    """Create the bucket of the tables that BigQuery writes. BigQuery supports neither versions nor a
    retention policy there, and deletes objects below a table that it did not write ("Iceberg managed tables
    best practices"): hence the bucket contains no other data, and a legal hold does not apply to it. What
    BigQuery deletes stays as soft-deleted objects."""
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
        opts=context.options(context.apis["storage"], *key.grants, data=True, delete_before_replace=True),
    )


def grant_catalog_access(context: Context, buckets: Buckets, member: Output[str]) -> list[pulumi.Resource]:
    """Grant the catalog's service account the tables' files, for which it issues credentials. By bucket, as
    Google requires ("Enable credential vending")."""
    return [
        storage.BucketIAMMember(
            f"{context.name}-{zone}-catalog",
            bucket=bucket.name,
            role=OBJECT_USER,
            member=member,
            opts=context.options(),
        )
        for zone, bucket in buckets.items()
    ]


def _abort_uploads() -> storage.BucketLifecycleRuleArgs:
    return storage.BucketLifecycleRuleArgs(
        action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
        condition=storage.BucketLifecycleRuleConditionArgs(age=_ABANDONED_DAYS),
    )


def _lifecycle(context: Context, zone: Zone, *, versions: bool) -> Sequence[storage.BucketLifecycleRuleArgs]:
    """Only deleted objects and files outside of tables expire: an old file may be part of a table's current
    snapshot."""
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
