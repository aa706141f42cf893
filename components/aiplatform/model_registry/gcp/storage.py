"""The key of all data of a model registry on Google Cloud, and the buckets of its files."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input
from pulumi_gcp import kms, storage

from aiplatform._shared.gcp.keys import data_key, let_use
from aiplatform.model_registry.gcp.context import Context

FOLDER: Final = "runs"
"""The folder of the bucket that MLflow has."""
_DAY: Final = 24 * 3600
_ABANDONED_DAYS: Final = 7
# "Usage logs & storage logs: Set up log delivery".
_LOG_WRITER: Final = "group:cloud-storage-analytics@google.com"


@dataclass(frozen=True)
class Key:
    """The key of all data, and who may use it: what is encrypted waits for these."""

    key: kms.CryptoKey
    users: list[pulumi.Resource]


def key(context: Context) -> Key:
    """The key of database, files and secrets. A lost key is lost data: a month to call it back."""
    settings = context.settings
    made = data_key(context)
    asked = pulumi.InvokeOutputOptions(parent=context.parent, depends_on=[context.apis["storage"]])
    agents = {
        "secretmanager": context.agent("secretmanager"),
        "sqladmin": context.agent("sqladmin"),
        "storage": storage.get_project_service_account_output(
            project=context.project, opts=asked
        ).email_address,
    }
    users = [
        let_use(context.parent, f"{context.name}-key-{service}", made, email, retain=settings.retain_data)
        for service, email in agents.items()
    ]
    return Key(made, [*users])


def buckets(context: Context, data_key: Key, server: Input[str]) -> tuple[storage.Bucket, storage.Bucket]:
    """The bucket of models and other files of runs, and that of its usage logs. server: the member that alone
    reads and writes files."""
    logs = _logs(context)
    days = context.settings.artifacts.deleted_days
    made = storage.Bucket(
        f"{context.name}-artifacts",
        project=context.project,
        name=f"{context.settings.prefix}-models-{context.project}",
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=data_key.key.id),
        versioning=storage.BucketVersioningArgs(enabled=True),
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=days * _DAY),
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
        logging=storage.BucketLoggingArgs(log_bucket=logs.name, log_object_prefix="artifacts"),
        force_destroy=context.settings.force_destroy,
        labels=context.labels,
        # There is one bucket of a name in all of Google Cloud.
        opts=context.options(*data_key.users, data=True, delete_before_replace=True),
    )
    storage.BucketIAMMember(
        f"{context.name}-artifacts",
        bucket=made.name,
        role="roles/storage.objectUser",
        member=server,
        opts=context.options(),
    )
    return made, logs


def _logs(context: Context) -> storage.Bucket:
    made = storage.Bucket(
        f"{context.name}-logs",
        project=context.project,
        name=f"{context.settings.prefix}-models-logs-{context.project}",
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        lifecycle_rules=[
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
                condition=storage.BucketLifecycleRuleConditionArgs(
                    age=context.settings.artifacts.access_log_days
                ),
            )
        ],
        force_destroy=context.settings.force_destroy,
        labels=context.labels,
        opts=context.options(context.apis["storage"], data=True, delete_before_replace=True),
    )
    storage.BucketIAMMember(
        f"{context.name}-logs",
        bucket=made.name,
        role="roles/storage.objectCreator",
        member=_LOG_WRITER,
        opts=context.options(data=True),
    )
    return made
