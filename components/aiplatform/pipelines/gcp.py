"""Artifacts of pipelines on Google Cloud: the bucket, its key, and a managed folder for each team."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input
from pulumi_gcp import projects, storage

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.access_logs import UsageLogs, log_bucket
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.cluster_members import REACH
from aiplatform._shared.gcp.context import GcpBucketContext
from aiplatform._shared.gcp.keys import data_key, grant_member_key_use
from aiplatform._shared.outputs import mapped, merged
from aiplatform._shared.principals import identity, member_key
from aiplatform.pipelines.args import PipelinesSettings
from aiplatform.pipelines.platform import Artifacts, Subjects, key_format

APIS: Final = ("cloudkms", "iam", "storage")
PURPOSE: Final = "pipelines"
_KINDS: Final = {"group": "Group", "serviceAccount": "User"}


@dataclass(frozen=True)
class Context(GcpBucketContext[PipelinesSettings]):
    """The component, its settings, the cluster's project and region, and APIs."""


def create(parent: pulumi.ComponentResource, name: str, settings: PipelinesSettings) -> Artifacts:
    """Create the resources in the cloud as children of the component."""
    project, region = settings.cluster.project or "", settings.cluster.region or ""
    context = Context(parent, name, settings, project, region, enable_apis(parent, name, project, APIS))
    crypto_key = data_key(context)
    key = crypto_key.id
    grant = grant_member_key_use(
        context.parent,
        f"{name}-key-storage",
        crypto_key,
        pulumi.Output.concat("serviceAccount:", context.storage_agent()),
        depends_on=[context.apis["cloudkms"]],
        retain=settings.retain_data,
    )
    logs = log_bucket(
        f"{name}-logs",
        name=context.bucket(f"{PURPOSE}-logs"),
        project=project,
        region=region,
        days=settings.access_log_days,
        force_destroy=settings.force_destroy,
        labels=context.labels,
        opts=context.options(context.apis["storage"], data=True, delete_before_replace=True),
        grant_opts=context.options(data=True),
        existing=settings.access_log_bucket,
    )
    bucket = _bucket(context, key, grant, logs)
    return Artifacts(
        bucket=bucket.name,
        kms_key=key,
        log_bucket=logs.name,
        repositories={
            team: {
                # Without a key of a service account: the identity of the Pod.
                "gcs": {"bucket": bucket.name, "keyFormat": key_format(declared.namespace)},
            }
            for team, declared in settings.teams.items()
        },
        ready={team: [_grant(context, team, bucket)] for team in settings.teams},
        submitters=_admit(context),
    )


def _bucket(context: Context, key: Input[str], grant: Dependency, logs: UsageLogs) -> storage.Bucket:
    """Create the bucket of artifacts, without versions and soft delete: they are written once, and expire."""
    settings = context.settings
    return storage.Bucket(
        f"{context.name}-artifacts",
        project=context.project,
        name=context.bucket(PURPOSE),
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=key),
        logging=logs.of("artifacts"),
        versioning=storage.BucketVersioningArgs(enabled=False),
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=0),
        lifecycle_rules=[
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
                condition=storage.BucketLifecycleRuleConditionArgs(age=settings.expire_days),
            ),
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
                condition=storage.BucketLifecycleRuleConditionArgs(age=7),
            ),
        ],
        force_destroy=settings.force_destroy,
        labels=merged(settings.tags, {"purpose": "artifacts"}),
        # Names of buckets are unique in all of Google Cloud.
        opts=context.options(grant, data=True, delete_before_replace=True),
    )


def _grant(context: Context, team: str, bucket: storage.Bucket) -> pulumi.Resource:
    """Allow the identity of a team to use objects below the folder of its namespace."""
    declared = context.settings.teams[team]
    folder = storage.ManagedFolder(
        f"{context.name}-{team}",
        bucket=bucket.name,
        # With the slash: `search` is not the beginning of `search-ads`.
        name=f"{declared.namespace}/",
        # Deletes only the folder: its objects stay.
        force_destroy=True,
        opts=context.options(delete_before_replace=True),
    )
    return storage.ManagedFolderIamMember(
        f"{context.name}-{team}",
        bucket=bucket.name,
        managed_folder=folder.name,
        role="roles/storage.objectUser",
        member=declared.identity.principal,
        opts=context.options(),
    )


def _admit(context: Context) -> dict[str, list[Subjects]]:
    """Let each submitter reach the cluster. Returns the subjects of each team: groups and users by their
    email addresses."""
    admitted: set[str] = set()
    subjects: dict[str, list[Subjects]] = {}
    for team, declared in context.settings.teams.items():
        subjects[team] = []
        for index, principal in enumerate(declared.submitters):
            if identity(principal) not in admitted:
                admitted.add(identity(principal))
                projects.IAMMember(
                    f"{context.name}-{member_key(principal, f'{team}-submitters[{index}]')}",
                    project=context.project,
                    role=REACH,
                    member=principal,
                    opts=context.options(),
                )
            kind = _KINDS.get(identity(principal).partition(":")[0], "User")
            name = mapped(principal, lambda known: known.partition(":")[2])
            subjects[team].append(Subjects(kind, [name]))
    return subjects
