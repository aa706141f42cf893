"""Policies of the server, the materializer, appliers and readers on AWS."""

from collections.abc import Sequence
from typing import Final

from aiplatform._shared.aws.policy_documents import Statement, allow
from aiplatform.feature_store.aws.context import REGISTRY, Context, Staging
from aiplatform.feature_store.aws.offline import CATALOG
from aiplatform.feature_store.config import REGISTRY as OBJECT

_KEY: Final = ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey")
_QUERY: Final = (
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
)
_FIND_TABLES: Final = ("glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTables")
# What Feast's DynamoDB store calls (feast/infra/online_stores/dynamodb.py).
_READ: Final = ("dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem")
_WRITE: Final = ("dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")


def serve(context: Context, key: str) -> list[Statement]:
    """The server reads the registry and the online store."""
    return [*_registry(context), *_online(context, _READ), _use_key(context, key)]


def materialize(staging: Staging, key: str, databases: Sequence[str]) -> list[Statement]:
    """The materializer queries Athena, writes the online store, and records its progress in the registry."""
    context = staging.context
    return [
        *_registry(context, write=True),
        *_online(context, (*_READ, *_WRITE)),
        *_offline(staging, databases),
        _use_key(context, key),
    ]


def apply(staging: Staging, key: str, databases: Sequence[str]) -> list[Statement]:
    """An applier writes the registry and checks whether sources and tables exist. It creates and tags no
    table: Feast's would have neither the platform's key nor its backups. It may delete the table of a former
    view, unless the table is protected."""
    context = staging.context
    online = _online(context, ("dynamodb:DeleteTable", "dynamodb:DescribeTable"))
    return [
        *_registry(context, write=True),
        *online,
        *_offline(staging, databases),
        _use_key(context, key),
    ]


def read(staging: Staging, key: str, databases: Sequence[str]) -> list[Statement]:
    """A reader creates training data from what the lakehouse's grants allow it to read."""
    context = staging.context
    return [*_registry(context), *_offline(staging, databases), _use_key(context, key)]


def _registry(context: Context, *, write: bool = False) -> list[Statement]:
    """A SQL registry is not governed by IAM."""
    if context.settings.registry.kind == "sql":
        return []
    actions = ["s3:GetObject", *(["s3:PutObject"] if write else [])]
    return [
        allow(actions, context.bucket_arn(REGISTRY, f"/{OBJECT}"), sid="Registry"),
        # For HeadBucket, and for 404 instead of 403 for an object that does not exist.
        allow(["s3:ListBucket"], context.bucket_arn(REGISTRY), sid="FindRegistry"),
    ]


def _online(context: Context, actions: Sequence[str]) -> list[Statement]:
    """Valkey authorizes its own users."""
    if context.settings.store != "dynamodb":
        return []
    tables = context.account.arn("dynamodb", f"table/{context.settings.table('*')}")
    return [allow(sorted(actions), tables, sid="OnlineStore")]


def _offline(staging: Staging, databases: Sequence[str]) -> list[Statement]:
    """Queries in the principal's workgroup, Feast's temporary tables, and files between the two. Lake
    Formation decides which data of the lakehouse's tables they return."""
    context = staging.context
    account, database = context.account, context.database
    zones = [arn for zone_database in databases for arn in _arns(context, zone_database)]
    return [
        allow(_QUERY, account.arn("athena", f"workgroup/{context.workgroup(staging.physical)}"), sid="Query"),
        allow(
            ["athena:GetDataCatalog", "athena:GetTableMetadata"],
            account.arn("athena", f"datacatalog/{CATALOG}"),
            sid="FindCatalog",
        ),
        allow(
            _FIND_TABLES,
            [account.arn("glue", "catalog"), *_arns(context, database), *zones],
            sid="FindTables",
        ),
        allow(
            ["glue:CreateTable", "glue:DeleteTable"],
            [account.arn("glue", "catalog"), *_arns(context, database)],
            sid="OwnTables",
        ),
        # It has no narrower resource; Lake Formation's permissions decide which data it returns.
        allow(["lakeformation:GetDataAccess"], "*", sid="AskLakeFormation"),
        allow(
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            staging.bucket_arn(path="/*"),
            sid="Staging",
        ),
        allow(
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            staging.bucket_arn(),
            sid="FindStaging",
        ),
    ]


def _arns(context: Context, database: str) -> list[str]:
    account = context.account
    return [account.arn("glue", f"database/{database}"), account.arn("glue", f"table/{database}/*")]


def _use_key(context: Context, key: str) -> Statement:
    """Only by the services that store what it encrypts, not directly."""
    services = ["s3", *(["dynamodb"] if context.settings.store == "dynamodb" else [])]
    via = [context.via_service(service) for service in services]
    return allow(_KEY, key, {"StringEquals": {"kms:ViaService": via}}, sid="UseKey")
