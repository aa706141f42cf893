"""The key of all data of a model registry on AWS, and the buckets of its files."""

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi import Output
from pulumi_aws import kms, s3

from aiplatform._shared.aws.buckets import (
    AccessLogs,
    Bucket,
    deleted_after,
    deny,
    encrypted,
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
from aiplatform.model_registry.args import KEY_ALIAS
from aiplatform.model_registry.aws.context import ARTIFACTS, LOGS, Context
from aiplatform.model_registry.aws.database import log_groups


@dataclass(frozen=True)
class Buckets:
    """The bucket of models and other files of runs, and the one of its access logs."""

    artifacts: Bucket
    logs: AccessLogs


def create_key(context: Context) -> Key:
    """Return the key of database, files, secrets and logs, a new one where the settings name none. A lost key
    is lost data: its deletion can be cancelled for 30 days."""
    stated = context.settings.kms_key
    if stated is not None:
        return existing_key(stated, context.account, "ModelRegistryArgs.kms_key")
    key = kms.Key(
        f"{context.name}-key",
        description=f"Data of {context.settings.prefix}'s model registry",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=context.secret_readers.apply(
            lambda readers: key_policy(
                context.account,
                *(logs_may_use_key(context.account, group) for group in log_groups(context)),
                *_allow_readers(context, readers),
            )
        ),
        tags=context.tags("mlflow"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(context.settings.prefix), context.options())
    return Key(key.arn)


def _allow_readers(context: Context, readers: Sequence[str]) -> list[Statement]:
    """Allow the readers of passwords to use the key, only by Secrets Manager."""
    if not readers:
        return []
    return [
        {
            "Sid": "AccountsRead",
            "Effect": "Allow",
            "Principal": {"AWS": list(readers)},
            "Action": ["kms:Decrypt"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": context.via_service("secretsmanager")}},
        }
    ]


def create_buckets(context: Context, data_key: Key, server: Output[str]) -> Buckets:
    """Create the buckets. server: the arn of the only role that reads and writes files."""
    settings = context.settings
    logs = log_bucket(
        context,
        LOGS,
        [ARTIFACTS],
        settings.artifacts.access_log_days,
        force_destroy=settings.force_destroy,
        existing=settings.artifacts.access_log_bucket,
    )
    artifacts = private_bucket(context, ARTIFACTS, force_destroy=settings.force_destroy)
    name = artifacts.bucket.bucket
    versioning = versioned(context, ARTIFACTS, name)
    artifacts.ready.extend([versioning, encrypted(context, ARTIFACTS, name, data_key)])
    # Where the newest version of a file is deleted an older one is served. With force_destroy the deployer
    # deletes files.
    deletions = [] if settings.force_destroy else ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    policy = Output.all(data_key.arn, server).apply(
        lambda arns: document(
            plain_http(context, ARTIFACTS),
            *other_keys(context, ARTIFACTS, str(arns[0])),
            deny(
                "PastTheServer",
                ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", *deletions],
                context.bucket_arn(ARTIFACTS, "/*"),
                {"ArnNotEquals": {"aws:PrincipalArn": str(arns[1])}},
            ),
        )
    )
    artifacts.ready.append(with_policy(context, ARTIFACTS, artifacts, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{ARTIFACTS}",
        bucket=name,
        rules=[deleted_after(settings.artifacts.deleted_days)],
        # S3 accepts rules about noncurrent versions only in a versioned bucket.
        opts=context.options(versioning, data=True),
    )
    logged(context, ARTIFACTS, name, logs)
    return Buckets(artifacts, logs)
