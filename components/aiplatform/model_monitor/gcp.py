"""Model monitoring on Google Cloud: a bucket of requests and reports, its key, and managed folders with roles
of the teams' identities."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input
from pulumi_gcp import pubsub, storage

from aiplatform._shared.gcp.access_logs import log_bucket
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.context import GcpBucketContext
from aiplatform._shared.gcp.keys import data_key, grant_member_key_use
from aiplatform._shared.outputs import mapped, merged
from aiplatform.model_monitor.args import LOGS, REPORTS, ModelMonitorSettings
from aiplatform.model_monitor.platform import Store

APIS: Final = ("cloudkms", "iam", "pubsub", "storage")
PURPOSE: Final = "model-monitor"


@dataclass(frozen=True)
class Context(GcpBucketContext[ModelMonitorSettings]):
    """The component, its settings, the cluster's project and region, and APIs."""


def create(parent: pulumi.ComponentResource, name: str, settings: ModelMonitorSettings) -> Store:
    """Create the resources in the cloud as children of the component."""
    project, region = settings.cluster.project or "", settings.cluster.region or ""
    context = Context(parent, name, settings, project, region, enable_apis(parent, name, project, APIS))
    bucket, key = settings.bucket, settings.kms_key or ""
    if bucket is None:
        bucket, key = _bucket(context)
    ready = [granted for team in settings.teams for granted in _grant(context, team, bucket)]
    return Store(bucket, key, ready)


def _bucket(context: Context) -> tuple[Input[str], Input[str]]:
    """Create the bucket, without versions and soft delete: a request that is compacted is deleted, and ends
    then."""
    settings = context.settings
    crypto_key = data_key(context)
    key = crypto_key.id
    grant = grant_member_key_use(
        context.parent,
        f"{context.name}-key-storage",
        crypto_key,
        pulumi.Output.concat("serviceAccount:", context.storage_agent()),
        depends_on=[context.apis["cloudkms"]],
        retain=settings.retain_data,
    )
    logs = log_bucket(
        f"{context.name}-logs",
        name=context.bucket(f"{PURPOSE}-logs"),
        project=context.project,
        region=context.region,
        days=settings.access_log_days,
        force_destroy=settings.force_destroy,
        labels=context.labels,
        opts=context.options(context.apis["storage"], data=True, delete_before_replace=True),
        grant_opts=context.options(data=True),
        existing=settings.access_log_bucket,
    )
    bucket = storage.Bucket(
        f"{context.name}-bucket",
        project=context.project,
        name=context.bucket(PURPOSE),
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=key),
        logging=logs.of(PURPOSE),
        versioning=storage.BucketVersioningArgs(enabled=False),
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=0),
        lifecycle_rules=[
            *(
                storage.BucketLifecycleRuleArgs(
                    action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
                    condition=storage.BucketLifecycleRuleConditionArgs(age=days, matches_prefixes=prefixes),
                )
                for prefixes, days in (
                    ([f"{LOGS}/"], settings.log_days),
                    ([f"{REPORTS}/"], settings.report_days),
                    # Nothing else is stored.
                    (None, max(settings.log_days, settings.report_days)),
                )
            ),
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
                condition=storage.BucketLifecycleRuleConditionArgs(age=7),
            ),
        ],
        force_destroy=settings.force_destroy,
        labels=merged(settings.tags, {"purpose": PURPOSE}),
        # Names of buckets are unique in all of Google Cloud.
        opts=context.options(grant, data=True, delete_before_replace=True),
    )
    return bucket.name, key


def _grant(context: Context, team: str, bucket: Input[str]) -> list[pulumi.Resource]:
    """Allow the identity of a team to compact requests of its namespace, to write reports, and to send
    messages to its queue."""
    declared = context.settings.teams[team]
    folders = (
        (LOGS, declared.namespace, "roles/storage.objectUser"),
        # It creates reports, and reads none.
        (REPORTS, team, "roles/storage.objectCreator"),
    )
    granted: list[pulumi.Resource] = []
    for folder, part, role in folders:
        managed = storage.ManagedFolder(
            f"{context.name}-{team}-{folder}",
            bucket=bucket,
            # With the slash: `search` is not the beginning of `search-ads`.
            name=f"{folder}/{part}/",
            # Deletes only the folder: its objects stay.
            force_destroy=True,
            opts=context.options(context.apis["storage"], delete_before_replace=True),
        )
        granted.append(
            storage.ManagedFolderIamMember(
                f"{context.name}-{team}-{folder}",
                bucket=bucket,
                managed_folder=managed.name,
                role=role,
                member=declared.identity.principal,
                opts=context.options(),
            )
        )
    if declared.queue is not None:
        granted.append(
            pubsub.TopicIAMMember(
                f"{context.name}-{team}-queue",
                project=mapped(declared.queue, lambda topic: topic.split("/")[1]),
                topic=mapped(declared.queue, lambda topic: topic.split("/")[3]),
                role="roles/pubsub.publisher",
                member=declared.identity.principal,
                opts=context.options(context.apis["pubsub"]),
            )
        )
    return granted
