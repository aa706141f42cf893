"""The key of all data of a model registry on Google Cloud, and the buckets of its files."""

from dataclasses import dataclass
from typing import Final

from pulumi import Input
from pulumi_gcp import storage

from aiplatform._shared.gcp.access_logs import UsageLogs, log_bucket
from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.gcp.keys import data_key, grant_key_use
from aiplatform._shared.outputs import mapped
from aiplatform.model_registry.gcp.context import Context

FOLDER: Final = "runs"
"""MLflow's folder in the bucket."""
_DAY: Final = 24 * 3600
_ABANDONED_DAYS: Final = 7


@dataclass(frozen=True)
class Buckets:
    """The bucket of models and other files of runs, and the one of its usage logs."""

    artifacts: storage.Bucket
    logs: UsageLogs


def create_key(context: Context) -> DataKey:
    """Create the key of database, files and secrets, and allow the services to use it. A lost key is lost
    data: its destruction can be cancelled for a month."""
    key = data_key(context)
    agents = {"secretmanager": context.service_identity("secretmanager").email}
    if context.settings.database.existing is None:
        agents["sqladmin"] = context.service_identity("sqladmin").email
    agents["storage"] = context.storage_agent()
    retain = context.settings.retain_data
    grants = [
        grant_key_use(context.parent, f"{context.name}-key-{service}", key, email, retain=retain)
        for service, email in agents.items()
    ]
    return DataKey(key, [*grants])


def create_buckets(context: Context, key: DataKey, server: Input[str]) -> Buckets:
    """Create the buckets. server: the only member that reads and writes files."""
    logs = _log_bucket(context)
    days = context.settings.artifacts.deleted_days
    artifacts = storage.Bucket(
        f"{context.name}-artifacts",
        project=context.project,
        name=f"{context.settings.prefix}-models-{context.project}",
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=key.key.id),
        versioning=storage.BucketVersioningArgs(enabled=True),
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=mapped(days, lambda known: known * _DAY)
        ),
        lifecycle_rules=[
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
                condition=storage.BucketLifecycleRuleConditionArgs(
                    days_since_noncurrent_time=days, with_state="ARCHIVED"
                ),
            ),
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
                condition=storage.BucketLifecycleRuleConditionArgs(age=_ABANDONED_DAYS),
            ),
        ],
        logging=logs.of("artifacts"),
        force_destroy=context.settings.force_destroy,
        labels=context.labels,
        # Names of buckets are unique in all of Google Cloud.
        opts=context.options(*key.grants, data=True, delete_before_replace=True),
    )
    storage.BucketIAMMember(
        f"{context.name}-artifacts",
        bucket=artifacts.name,
        role="roles/storage.objectUser",
        member=server,
        opts=context.options(),
    )
    return Buckets(artifacts, logs)


def _log_bucket(context: Context) -> UsageLogs:
    return log_bucket(
        f"{context.name}-logs",
        name=f"{context.settings.prefix}-models-logs-{context.project}",
        project=context.project,
        region=context.region,
        days=context.settings.artifacts.access_log_days,
        force_destroy=context.settings.force_destroy,
        labels=context.labels,
        opts=context.options(context.apis["storage"], data=True, delete_before_replace=True),
        grant_opts=context.options(data=True),
        existing=context.settings.artifacts.access_log_bucket,
    )
