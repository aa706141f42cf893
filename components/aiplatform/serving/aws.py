"""The identity of a team's predictors on AWS: a role that reads the team's releases, and writes requests."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, Output

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.pod_identity import pod_identity
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform._shared.context import Context
from aiplatform.serving import request_logs
from aiplatform.serving.args import LOGGER_ROLE, ROLE, SERVICE_ACCOUNT, ServingSettings
from aiplatform.serving.llm_logs import NAME as LOGGER


def grant(context: Context[ServingSettings], team: str) -> tuple[Input[str], list[pulumi.Resource]]:
    """Create the role. Returns the principal, and what Pods need before they start."""
    settings, account = context.settings, account_of(context.parent)
    store = settings.model_store

    logs = settings.request_logs if request_logs.uses(settings, team) else None
    via = _via(account)

    def policy(bucket: str, key: str, *logs_known: str) -> str:
        objects = f"arn:{account.partition}:s3:::{bucket}/{team}/*"
        return document(
            # It lists nothing: the manifest of a release names the files.
            allow(["s3:GetObject"], objects, sid="Releases"),
            # Only by S3, not directly.
            allow(["kms:Decrypt"], key, via, sid="UseKey"),
            *(_writes(account, settings.namespace(team), logs_known) if logs_known else ()),
        )

    identity = pod_identity(
        context,
        f"{context.name}-{team}",
        namespace=settings.namespace(team),
        service_account=SERVICE_ACCOUNT,
        policy=Output.all(
            store.releases_bucket, store.kms_key, *((logs.bucket, logs.prefix, logs.kms_key) if logs else ())
        ).apply(lambda known: policy(*map(str, known))),
        description=f"Predictors of the team {team}: read its releases",
        name_prefix=ROLE.of(settings.prefix),
    )
    return identity.role.arn, [identity.association]


def grant_logger(context: Context[ServingSettings], team: str) -> pulumi.Resource:
    """Create the role of a team's logger, which writes what it measures. Returns what Pods need before they
    start."""
    settings, account, logs = context.settings, account_of(context.parent), context.settings.request_logs
    assert logs is not None, "serving/request_logs.py refuses it"  # noqa: S101
    namespace = settings.namespace(team)
    identity = pod_identity(
        context,
        f"{context.name}-{team}-{LOGGER}",
        namespace=namespace,
        service_account=LOGGER,
        policy=Output.all(logs.bucket, logs.prefix, logs.kms_key).apply(
            lambda known: document(*_writes(account, namespace, [str(value) for value in known]))
        ),
        description=f"Logger of language models of the team {team}: store what it measures",
        name_prefix=LOGGER_ROLE.of(settings.prefix),
    )
    return identity.association


def _via(account: Account) -> Mapping[str, Mapping[str, str]]:
    return {"StringEquals": {"kms:ViaService": f"s3.{account.region}.{account.dns_suffix}"}}


def _writes(account: Account, namespace: str, known: Sequence[str]) -> list[Statement]:
    """Return the permission to write requests: it reads and lists none."""
    bucket, folder, key = known
    objects = f"arn:{account.partition}:s3:::{bucket}/{folder}/{namespace}/*"
    return [
        allow(["s3:PutObject"], objects, sid="RequestLogs"),
        # Objects of several parts are decrypted to be joined (S3 user guide, "Uploading ... multipart").
        allow(["kms:Decrypt", "kms:GenerateDataKey"], key, _via(account), sid="UseKeyOfLogs"),
    ]


def region(component: pulumi.ComponentResource) -> str:
    """Return the region, which clients of S3 need: no metadata service states it to Pods."""
    return account_of(component).region
