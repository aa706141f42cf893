"""What promotions and imports may do on AWS, and the access entries of the members that approve."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output
from pulumi_aws import eks, iam

from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform._shared.aws.roles import key
from aiplatform._shared.aws.secret_stores import secret_arn
from aiplatform._shared.references.model_store import IMPORTS
from aiplatform.model_store.args import (
    IMPORTER,
    PROMOTER,
    RELEASE_GROUP,
    ModelStoreRegistry,
    ModelStoreToken,
)
from aiplatform.model_store.aws.context import RELEASES, Context
from aiplatform.model_store.platform import Identities

_WRITE: Final = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject")
_SECRET: Final = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")


def admit_members(context: Context) -> list[Input[str]]:
    """Create an access entry for each member that approves; returns their group."""
    members = context.settings.release_group
    for index, principal in enumerate(members):
        eks.AccessEntry(
            f"{context.name}-{key(f'release_group[{index}]', principal)}",
            cluster_name=context.settings.cluster.name,
            principal_arn=principal,
            kubernetes_groups=[RELEASE_GROUP],
            type="STANDARD",
            tags=context.settings.tags,
            opts=context.options(delete_before_replace=True),
        )
    return [RELEASE_GROUP] if members else []


def grant(context: Context, identities: Identities, key_arn: Input[str]) -> list[pulumi.Resource]:
    """Put the policies of promotions and imports on their roles; returns them."""
    settings = context.settings
    statements: dict[str, Callable[[Context, str], list[Statement]]] = {PROMOTER: _promote, IMPORTER: _import}
    secrets = {PROMOTER: settings.registry, IMPORTER: settings.hugging_face}
    return [
        iam.RolePolicy(
            f"{context.name}-{account}",
            name="model-store",
            role=identities[account].role_name.apply(lambda name: name or ""),
            policy=Output.all(key=key_arn, **_secret(secrets[account])).apply(
                lambda known, account=account: document(
                    *statements[account](context, str(known["key"])),
                    *_read_secret(context, cast("Mapping[str, Any]", known)),
                )
            ),
            opts=context.options(),
        )
        for account in (PROMOTER, IMPORTER)
    ]


def _promote(context: Context, key_arn: str) -> list[Statement]:
    """Promotions create releases and read all of them, imports included."""
    return [
        allow(_WRITE, context.bucket_arn(RELEASES, "/*"), sid="Releases"),
        allow(["s3:GetBucketLocation", "s3:ListBucket"], context.bucket_arn(RELEASES), sid="FindReleases"),
        _use_key(context, key_arn),
    ]


def _import(context: Context, key_arn: str) -> list[Statement]:
    """Imports create and read what is below their folder."""
    return [
        allow(_WRITE, context.bucket_arn(RELEASES, f"/{IMPORTS}/*"), sid="Imports"),
        allow(
            ["s3:ListBucket"],
            context.bucket_arn(RELEASES),
            {"StringLike": {"s3:prefix": f"{IMPORTS}/*"}},
            sid="FindImports",
        ),
        _use_key(context, key_arn),
    ]


def _use_key(context: Context, key_arn: str) -> Statement:
    """Only by S3, not directly."""
    via = {"StringEquals": {"kms:ViaService": context.via_service("s3")}}
    return allow(["kms:Decrypt", "kms:GenerateDataKey"], key_arn, via, sid="UseKey")


def _secret(named: ModelStoreRegistry | ModelStoreToken | None) -> dict[str, Input[str]]:
    if named is None:
        return {}
    return {"secret": named.secret, **({"secret_key": named.kms_key} if named.kms_key is not None else {})}


def _read_secret(context: Context, known: Mapping[str, Any]) -> Sequence[Statement]:
    if "secret" not in known:
        return []
    statements = [allow(_SECRET, secret_arn(context.account, known["secret"]), sid="Secret")]
    if "secret_key" in known:
        via = {"StringEquals": {"kms:ViaService": context.via_service("secretsmanager")}}
        statements.append(allow(["kms:Decrypt"], known["secret_key"], via, sid="KeyOfSecret"))
    return statements
