"""Model monitoring on AWS: a bucket of requests and reports, its key, and permissions of the teams' roles."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlsplit

import pulumi
from pulumi import Input, Output
from pulumi_aws import iam, kms, s3

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.buckets import (
    encrypted,
    expired_after,
    log_bucket,
    logged,
    other_keys,
    plain_http,
    private_bucket,
    with_policy,
)
from aiplatform._shared.aws.context import AwsDataContext
from aiplatform._shared.aws.keys import existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, allow, document, key_policy
from aiplatform._shared.outputs import mapped
from aiplatform.model_monitor.args import KEY_ALIAS, LOGS, REPORTS, ModelMonitorSettings
from aiplatform.model_monitor.platform import Store

BUCKET: Final = "monitor"
ACCESS_LOGS: Final = "access-logs"
_REGION: Final = re.compile(r"(?:^|\.)sqs\.([a-z]{2}[a-z0-9-]+)\.")


@dataclass(frozen=True)
class Context(AwsDataContext[ModelMonitorSettings]):
    """The component, its settings, account and region."""

    name_parts: ClassVar[Mapping[str, str]] = {BUCKET: "model-monitor", ACCESS_LOGS: "model-monitor-logs"}


def create(parent: pulumi.ComponentResource, name: str, settings: ModelMonitorSettings) -> Store:
    """Create the resources in the cloud as children of the component."""
    context = Context(parent, name, settings, account_of(parent))
    key_arn = _key(context)
    ready: list[pulumi.Resource] = []
    bucket = settings.bucket
    if bucket is None:
        bucket, ready = _bucket(context, key_arn)
    for team in settings.teams:
        ready.append(_grant(context, team, bucket, key_arn))
    return Store(bucket, key_arn, ready)


def _key(context: Context) -> Input[str]:
    if context.settings.kms_key is not None:
        return existing_key(context.settings.kms_key, context.account, "ModelMonitorArgs.kms_key").arn
    created = kms.Key(
        f"{context.name}-key",
        description=f"Requests and reports of monitors of {context.settings.prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.account),
        tags=context.tags("model-monitor"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", created, KEY_ALIAS.of(context.settings.prefix), context.options())
    return created.arn


def _bucket(context: Context, key_arn: Input[str]) -> tuple[Input[str], list[pulumi.Resource]]:
    """Create the bucket, without versions: a request that is compacted is deleted, and ends then."""
    settings = context.settings
    logs = log_bucket(
        context,
        ACCESS_LOGS,
        [BUCKET],
        settings.access_log_days,
        force_destroy=settings.force_destroy,
        existing=settings.access_log_bucket,
    )
    bucket = private_bucket(context, BUCKET, force_destroy=settings.force_destroy)
    name = bucket.bucket.bucket
    bucket.ready.append(encrypted(context, BUCKET, name, key_arn))
    policy = mapped(
        key_arn, lambda arn: document(plain_http(context, BUCKET), *other_keys(context, BUCKET, arn))
    )
    bucket.ready.append(with_policy(context, BUCKET, bucket, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{BUCKET}",
        bucket=name,
        rules=[
            expired_after("logs", f"{LOGS}/", settings.log_days),
            expired_after("reports", f"{REPORTS}/", settings.report_days),
            # Nothing else is stored, and parts of uploads end wherever they are.
            expired_after("others", "", max(settings.log_days, settings.report_days)),
        ],
        opts=context.options(data=True),
    )
    logged(context, BUCKET, name, logs)
    return name, list(bucket.ready)


def _grant(context: Context, team: str, bucket: Input[str], key_arn: Input[str]) -> iam.RolePolicy:
    """Allow the identity of a team to compact requests of its namespace, to write reports, and to send
    messages to its queue."""
    declared = context.settings.teams[team]
    values = {"bucket": bucket, "key": key_arn, "queue": declared.queue, "queue_key": declared.queue_key}

    def policy(known: Mapping[str, str | None]) -> str:
        arn = f"arn:{context.account.partition}:s3:::{known['bucket']}"
        via = {"StringEquals": {"kms:ViaService": context.via_service("s3")}}
        folder = f"{LOGS}/{declared.namespace}/*"
        statements: list[Statement] = [
            allow(["s3:ListBucket"], arn, {"StringLike": {"s3:prefix": folder}}, sid="FindRequests"),
            allow(["s3:DeleteObject", "s3:GetObject"], f"{arn}/{folder}", sid="CompactRequests"),
            allow(["s3:AbortMultipartUpload", "s3:PutObject"], f"{arn}/{REPORTS}/{team}/*", sid="Reports"),
            # Only by S3, not directly.
            allow(["kms:Decrypt", "kms:GenerateDataKey"], str(known["key"]), via, sid="UseKey"),
        ]
        if known["queue"] is not None:
            statements.append(allow(["sqs:SendMessage"], _arn(context, known["queue"]), sid="StartTrainings"))
        if known["queue_key"] is not None:
            by_sqs = {"StringEquals": {"kms:ViaService": context.via_service("sqs")}}
            statements.append(
                allow(["kms:Decrypt", "kms:GenerateDataKey"], known["queue_key"], by_sqs, sid="UseKeyOfQueue")
            )
        return document(*statements)

    return iam.RolePolicy(
        f"{context.name}-{team}",
        name="model-monitor",
        role=Output.from_input(declared.identity.role_name).apply(str),
        policy=Output.all(**values).apply(policy),
        opts=context.options(),
    )


def _arn(context: Context, url: str) -> str:
    """Return the arn of a queue. url: `https://sqs.REGION.DOMAIN/ACCOUNT/NAME`; of another host, such as an
    endpoint of a VPC that does not name the region, that of the provider."""
    parsed = urlsplit(url)
    account, name = parsed.path.split("/")[-2:]
    stated = _REGION.search(parsed.hostname or "")
    region = stated[1] if stated else context.account.region
    return f"arn:{context.account.partition}:sqs:{region}:{account}:{name}"
