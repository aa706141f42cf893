"""Roles of a lakehouse: through which Lake Formation reaches the buckets, who writes, who tidies up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output
from pulumi_aws import iam, kms

from aiplatform._shared.aws.policy_documents import Statement, allow, document, trust
from aiplatform._shared.aws.roles import Role
from aiplatform.lakehouse.aws.context import TABLES, Context
from aiplatform.lakehouse.aws.names import ACCESS_ROLE, OPTIMIZER_ROLE, STREAM_ROLE, WRITER
from aiplatform.lakehouse.tables import ZONES

_USE_OF_KEY: Final = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
_FILES: Final = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
_OPTIMIZER_LOGS: Final = ("iceberg-compaction", "iceberg-retention", "iceberg-orphan-file-deletion")

# It has no narrower resource; Lake Formation's own grants decide what it gives.
GET_DATA_ACCESS: Final[Statement] = allow(["lakeformation:GetDataAccess"], "*", sid="AskLakeFormation")
DEFAULT_DATABASE: Final = "default"
"""The database that Athena looks at first, whichever a query names (Athena user guide, "The DESCRIBE
permission is required on the default database")."""
READ_CATALOG: Final = (
    "glue:GetCatalog",
    "glue:GetCatalogs",
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetTable",
    # Not in the guide, and asked for all the same when a table is loaded at the REST endpoint
    # (duckdb/duckdb-iceberg, issue 810).
    "glue:GetIcebergTableMetadata",
    "glue:GetTables",
    "glue:GetTableVersion",
    "glue:GetTableVersions",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
)


@dataclass(frozen=True)
class Roles:
    """The roles, each with its rights."""

    access: iam.Role
    """What Lake Formation works as."""
    writer: iam.Role
    """What pipelines work as."""
    optimizer: iam.Role
    """What Glue tidies tables up as."""
    feeder: iam.Role | None
    """What streams append as."""


def roles(context: Context, writers: Sequence[Role]) -> Roles:
    """The roles alone: their rights need the key, whose users they are."""
    access = iam.Role(
        f"{context.name}-access",
        name_prefix=ACCESS_ROLE.of(context.settings.prefix),
        description="Lake Formation reads and writes files of tables for whom it lets",
        assume_role_policy=_access_trust(context),
        tags=context.settings.tags,
        opts=context.options(),
    )
    writer = iam.Role(
        f"{context.name}-writer",
        name=WRITER.of(context.settings.prefix),
        description="Pipelines write the lakehouse",
        assume_role_policy=_writers(context, writers),
        tags=context.settings.tags,
        opts=context.options(delete_before_replace=True),
    )
    optimizer = iam.Role(
        f"{context.name}-optimizer",
        name_prefix=OPTIMIZER_ROLE.of(context.settings.prefix),
        description="Glue compacts Iceberg tables and removes what they use no more",
        assume_role_policy=trust("glue.amazonaws.com"),
        tags=context.settings.tags,
        opts=context.options(),
    )
    return Roles(access, writer, optimizer, _feeder(context))


def _feeder(context: Context) -> iam.Role | None:
    if not context.settings.streams:
        return None
    return iam.Role(
        f"{context.name}-streams",
        name_prefix=STREAM_ROLE.of(context.settings.prefix),
        description="Firehose appends events to tables",
        # Firehose says for whom it works (its developer guide, "Preventing cross-service confused deputy").
        assume_role_policy=trust(
            "firehose.amazonaws.com", {"StringEquals": {"aws:SourceAccount": context.place.account_id}}
        ),
        tags=context.settings.tags,
        opts=context.options(),
    )


def rights(context: Context, made: Roles, key: kms.Key) -> list[pulumi.Resource]:
    """What the roles may do; answers what must stand before they are used."""
    policies = {
        "access": (made.access, key.arn.apply(lambda arn: document(*_access(context, arn)))),
        "writer": (made.writer, key.arn.apply(lambda arn: document(*writer_rights(context, arn)))),
        "optimizer": (made.optimizer, document(*_optimizer(context))),
    }
    return [
        iam.RolePolicy(
            f"{context.name}-{purpose}",
            name=purpose,
            role=role.name,
            policy=policy,
            opts=context.options(),
        )
        for purpose, (role, policy) in policies.items()
    ]


def writers_may_assume(context: Context, writer: iam.Role, writers: Sequence[Role]) -> None:
    """The writers' own leave to become the writer role: its trust policy names the account, so that IAM asks
    for both."""
    for role in writers:
        iam.RolePolicy(
            f"{context.name}-writers-{role.key}",
            # Not one name for all: at another position a role's new policy would have the old one's name.
            name=f"{context.settings.prefix}-lakehouse-writer-{role.short}",
            role=role.name,
            # Sessions of Pods have tags that go with them from role to role.
            policy=writer.arn.apply(
                lambda arn: document(allow(["sts:AssumeRole", "sts:TagSession"], arn, sid="BecomeWriter"))
            ),
            opts=context.options(),
        )


def _access_trust(context: Context) -> str:
    """Lake Formation alone, for this account (its developer guide, "Cross-service confused deputy
    prevention").

    Not Glue, which "Requirements for roles used to register locations" of that guide lists too: a Glue job
    that is given this role would read every table, past all grants. Crawlers, jobs and optimizers get their
    files from Lake Formation: its service-linked role, which registers locations as well as this one, trusts
    Lake Formation alone (the guide, "Using service-linked roles for Lake Formation").
    """
    # S3 Tables: Lake Formation passes on for whom it works (Amazon S3 user guide, "Integrating Amazon S3
    # Tables with AWS analytics services").
    passed_on = ["sts:SetContext", "sts:SetSourceIdentity"] if context.in_s3_tables else []
    return trust(
        "lakeformation.amazonaws.com",
        {"StringEquals": {"aws:SourceAccount": context.place.account_id}},
        actions=("sts:AssumeRole", *passed_on),
    )


def _writers(context: Context, writers: Sequence[Role]) -> Output[str]:
    """The writers by a condition, not as principals: IAM refuses a principal that is not there yet. And Glue,
    where there are batches."""
    jobs = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": ["sts:AssumeRole"]}
    root = f"arn:{context.place.partition}:iam::{context.place.account_id}:root"
    return Output.all(*(each.arn for each in writers)).apply(
        lambda arns: document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": root},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {"ArnEquals": {"aws:PrincipalArn": sorted(str(arn) for arn in arns)}},
            },
            *([jobs] if context.settings.batches else []),
        )
    )


def _access(context: Context, key_arn: str) -> list[Statement]:
    return [
        allow(_FILES, [context.bucket_arn(zone, f"/{TABLES}/*") for zone in ZONES], sid="FilesOfTables"),
        allow(
            ["s3:ListBucket", "s3:GetBucketLocation"],
            [context.bucket_arn(zone) for zone in ZONES],
            sid="FindFiles",
        ),
        allow(_USE_OF_KEY, key_arn, sid="UseKey"),
    ]


def writer_rights(context: Context, key_arn: str) -> list[Statement]:
    """It changes tables and does not make or drop them: they are declared."""
    return [
        allow(_FILES, [context.bucket_arn(zone, "/*") for zone in ZONES], sid="Files"),
        allow(
            ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
            [context.bucket_arn(zone) for zone in ZONES],
            sid="FindFiles",
        ),
        allow(_USE_OF_KEY, key_arn, sid="UseKey"),
        allow([*READ_CATALOG, "glue:UpdateTable"], context.catalog_arns, sid="Tables"),
        GET_DATA_ACCESS,
    ]


def _optimizer(context: Context) -> list[Statement]:
    """Files come by Lake Formation, whose location the tables are in (Glue developer guide, "Table
    optimization prerequisites")."""
    groups = [context.place.arn("logs", f"log-group:/aws-glue/{each}/logs:*") for each in _OPTIMIZER_LOGS]
    return [
        allow(["glue:GetTable", "glue:UpdateTable"], context.catalog_arns, sid="Tables"),
        allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], groups, sid="WriteLogs"),
        GET_DATA_ACCESS,
    ]
