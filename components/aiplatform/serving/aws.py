"""The identity of a team's predictors on AWS: a role that reads the team's releases, and writes requests."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, Output

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.pod_identity import pod_identity
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform._shared.context import Context
from aiplatform.serving import request_logs
from aiplatform.serving.args import ROLE, SERVICE_ACCOUNT, ServingSettings


def grant(context: Context[ServingSettings], team: str) -> tuple[Input[str], list[pulumi.Resource]]:
    """Create the role. Returns the principal, and what Pods need before they start."""
    settings, account = context.settings, account_of(context.parent)
    store = settings.model_store

    logs = settings.request_logs if request_logs.uses(settings, team) else None

    def policy(bucket: str, key: str, *logs_known: str) -> str:
        via = {"StringEquals": {"kms:ViaService": f"s3.{account.region}.{account.dns_suffix}"}}
        objects = f"arn:{account.partition}:s3:::{bucket}/{team}/*"
        return document(
            # It lists nothing: the manifest of a release names the files.
            allow(["s3:GetObject"], objects, sid="Releases"),
            # Only by S3, not directly.
            allow(["kms:Decrypt"], key, via, sid="UseKey"),
            *(_writes(logs_known, via) if logs_known else ()),
        )

    def _writes(known: Sequence[str], via: Mapping[str, Mapping[str, str]]) -> list[Statement]:
        """Return the permission to write requests: it reads and lists none."""
        bucket, folder, key = known
        objects = f"arn:{account.partition}:s3:::{bucket}/{folder}/{settings.namespace(team)}/*"
        return [
            allow(["s3:PutObject"], objects, sid="RequestLogs"),
            # Objects of several parts are decrypted to be joined (S3 user guide, "Uploading ... multipart").
            allow(["kms:Decrypt", "kms:GenerateDataKey"], key, via, sid="UseKeyOfLogs"),
        ]

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


def region(component: pulumi.ComponentResource) -> str:
    """Return the region, which clients of S3 need: no metadata service states it to Pods."""
    return account_of(component).region
