"""Artifacts of pipelines on AWS: the bucket, its key, the permissions of each team, and access entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import pulumi
from pulumi import Input, Output
from pulumi_aws import eks, iam, kms, s3

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.buckets import (
    AccessLogs,
    Bucket,
    encrypted,
    expired_after,
    log_bucket,
    logged,
    other_keys,
    other_namespaces,
    plain_http,
    private_bucket,
    with_policy,
)
from aiplatform._shared.aws.context import AwsDataContext
from aiplatform._shared.aws.keys import existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import allow, document, key_policy
from aiplatform._shared.aws.roles import key
from aiplatform._shared.outputs import mapped
from aiplatform._shared.principals import identity, known
from aiplatform.pipelines.args import KEY_ALIAS, PipelinesSettings
from aiplatform.pipelines.platform import Artifacts, Subjects, key_format

ARTIFACTS: Final = "artifacts"
LOGS: Final = "logs"
# Artifacts are never deleted by a step: they expire.
_USE: Final = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject")


@dataclass(frozen=True)
class Context(AwsDataContext[PipelinesSettings]):
    """The component, its settings, account and region."""

    name_parts: ClassVar[Mapping[str, str]] = {
        ARTIFACTS: "pipelines",
        LOGS: "pipelines-logs",
    }


def create(parent: pulumi.ComponentResource, name: str, settings: PipelinesSettings) -> Artifacts:
    """Create the resources in the cloud as children of the component."""
    context = Context(parent, name, settings, account_of(parent))
    key_arn = _key(context)
    logs = log_bucket(
        context,
        LOGS,
        [ARTIFACTS],
        settings.access_log_days,
        force_destroy=settings.force_destroy,
        existing=settings.access_log_bucket,
    )
    bucket = _bucket(context, key_arn, logs)
    bucket_name = bucket.bucket.bucket
    endpoint = f"s3.{context.account.region}.{context.account.dns_suffix}"
    return Artifacts(
        bucket=bucket_name,
        kms_key=key_arn,
        log_bucket=logs.name,
        repositories={
            team: {
                "s3": {
                    "endpoint": endpoint,
                    "region": context.account.region,
                    "bucket": bucket_name,
                    "keyFormat": key_format(declared.namespace),
                    # The chain of AWS' SDK: Pod Identity. MinIO's client knows roles of nodes only.
                    "useSDKCreds": True,
                },
            }
            for team, declared in settings.teams.items()
        },
        ready={team: [_grant(context, team, key_arn), *bucket.ready] for team in settings.teams},
        submitters=_admit(context),
    )


def _key(context: Context) -> Input[str]:
    if context.settings.kms_key is not None:
        return existing_key(context.settings.kms_key, context.account, "PipelinesArgs.kms_key").arn
    created = kms.Key(
        f"{context.name}-key",
        description=f"Artifacts of pipelines of {context.settings.prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.account),
        tags=context.tags("pipelines"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", created, KEY_ALIAS.of(context.settings.prefix), context.options())
    return created.arn


def _bucket(context: Context, key_arn: Input[str], logs: AccessLogs) -> Bucket:
    """Create the bucket of artifacts, without versions: they are written once, and expire."""
    bucket = private_bucket(context, ARTIFACTS, force_destroy=context.settings.force_destroy)
    name = bucket.bucket.bucket
    bucket.ready.append(encrypted(context, ARTIFACTS, name, key_arn))
    policy = mapped(
        key_arn,
        lambda arn: document(
            plain_http(context, ARTIFACTS),
            *other_keys(context, ARTIFACTS, arn),
            other_namespaces(context, ARTIFACTS),
        ),
    )
    bucket.ready.append(with_policy(context, ARTIFACTS, bucket, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{ARTIFACTS}",
        bucket=name,
        rules=[expired_after("old", "", context.settings.expire_days)],
        opts=context.options(data=True),
    )
    logged(context, ARTIFACTS, name, logs)
    return bucket


def _grant(context: Context, team: str, key_arn: Input[str]) -> iam.RolePolicy:
    """Allow the identity of a team to write and read objects below the prefix of its namespace."""
    declared = context.settings.teams[team]
    bucket = context.bucket_arn(ARTIFACTS)
    via = {"StringEquals": {"kms:ViaService": context.via_service("s3")}}
    return iam.RolePolicy(
        f"{context.name}-{team}",
        name="pipelines",
        role=Output.from_input(declared.identity.role_name).apply(str),
        policy=mapped(
            key_arn,
            lambda arn: document(
                allow(_USE, f"{bucket}/{declared.namespace}/*", sid="Artifacts"),
                allow(
                    ["s3:ListBucket"],
                    bucket,
                    {"StringLike": {"s3:prefix": f"{declared.namespace}/*"}},
                    sid="FindArtifacts",
                ),
                # Only by S3, not directly.
                allow(["kms:Decrypt", "kms:GenerateDataKey"], arn, via, sid="UseKey"),
            ),
        ),
        opts=context.options(),
    )


def _admit(context: Context) -> dict[str, list[Subjects]]:
    """Create an access entry for each submitter, with the groups of all its teams: EKS has one for each
    principal. Returns the group of each team."""
    entries: dict[str, tuple[str, Input[str], list[str]]] = {}
    for team, declared in context.settings.teams.items():
        for index, principal in enumerate(declared.submitters):
            text = known(principal)
            logical = key("", principal) if text else f"{team}-submitter-{index}"
            entries.setdefault(identity(principal), (logical, principal, []))[2].append(_group(team))
    for logical, principal, groups in entries.values():
        eks.AccessEntry(
            f"{context.name}-{logical}",
            cluster_name=context.settings.cluster.name,
            principal_arn=principal,
            kubernetes_groups=sorted(set(groups)),
            type="STANDARD",
            tags=context.settings.tags,
            opts=context.options(delete_before_replace=True),
        )
    return {
        team: [Subjects("Group", [_group(team)])] if declared.submitters else []
        for team, declared in context.settings.teams.items()
    }


def _group(team: str) -> str:
    return f"ai-platform:pipeline:{team}"
