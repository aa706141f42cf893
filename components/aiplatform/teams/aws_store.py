"""What the identity of a team may do with checkpoints and releases on AWS."""

from collections.abc import Sequence
from typing import Final

from pulumi import Output
from pulumi_aws import iam

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform._shared.references.identity import WorkloadIdentityReference
from aiplatform._shared.references.model_store import ModelStoreReference
from aiplatform.teams.args import Team
from aiplatform.teams.context import TeamsContext

_CHECKPOINTS: Final = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)


def grant(
    context: TeamsContext,
    name: str,
    team: Team,
    store: ModelStoreReference,
    identity: WorkloadIdentityReference,
) -> None:
    """Allow the identity to use checkpoints below the prefix of its namespace and, where it serves, to read
    the releases of its team."""
    account = account_of(context.parent)
    namespace = context.settings.namespace(name)
    serves = team.serves
    iam.RolePolicy(
        f"{context.name}-{name}-model-store",
        name="model-store",
        role=Output.from_input(identity.role_name).apply(str),
        policy=Output.all(
            store.checkpoints_bucket, store.checkpoints_key, store.releases_bucket, store.kms_key
        ).apply(
            lambda known: document(
                *_use_checkpoints(account, str(known[0]), namespace),
                *(_read_releases(account, str(known[2]), name) if serves else ()),
                _use_keys(account, [str(known[1]), *([str(known[3])] if serves else [])]),
            )
        ),
        opts=context.options(),
    )


def _use_checkpoints(account: Account, bucket: str, namespace: str) -> list[Statement]:
    arn = f"arn:{account.partition}:s3:::{bucket}"
    return [
        allow(_CHECKPOINTS, f"{arn}/{namespace}/*", sid="Checkpoints"),
        _find(arn, namespace, "Checkpoints"),
    ]


def _read_releases(account: Account, bucket: str, team: str) -> list[Statement]:
    arn = f"arn:{account.partition}:s3:::{bucket}"
    return [allow(["s3:GetObject"], f"{arn}/{team}/*", sid="Releases"), _find(arn, team, "Releases")]


def _find(arn: str, prefix: str, what: str) -> Statement:
    """With the slash: `search` is not the beginning of `search-ads`."""
    return allow(["s3:ListBucket"], arn, {"StringLike": {"s3:prefix": f"{prefix}/*"}}, sid=f"Find{what}")


def _use_keys(account: Account, keys: Sequence[str]) -> Statement:
    """Only by S3, not directly."""
    via = {"StringEquals": {"kms:ViaService": f"s3.{account.region}.{account.dns_suffix}"}}
    return allow(["kms:Decrypt", "kms:GenerateDataKey"], sorted(set(keys)), via, sid="UseKeys")
