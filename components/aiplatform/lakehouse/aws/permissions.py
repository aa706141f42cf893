"""What the lakehouse's own roles may do, as statements of policies. Without resources: `limits` measures them
before anything is created."""

from collections.abc import Sequence
from typing import Final

from aiplatform._shared.aws.policy_documents import Statement, allow
from aiplatform.lakehouse.aws.billing_permissions import lake_formation_statements
from aiplatform.lakehouse.aws.context import FILES, GATE_SCRIPT, SPILL, TABLES, Context
from aiplatform.lakehouse.aws.names import JOB_LOGS, KEEPER_LOGS, STREAM_LOGS
from aiplatform.lakehouse.ingestion import LakehouseCaptureSettings
from aiplatform.lakehouse.tables import ZONES

_USE_OF_KEY: Final = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
_FILES: Final = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
_OPTIMIZER_LOGS: Final = ("iceberg-compaction", "iceberg-retention", "iceberg-orphan-file-deletion")

# It has no narrower resource; Lake Formation's permissions decide which data it returns.
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
    # Not in the guide, but required when a table is loaded at the REST endpoint (duckdb/duckdb-iceberg, issue
    # 810).
    "glue:GetIcebergTableMetadata",
    "glue:GetTables",
    "glue:GetTableVersion",
    "glue:GetTableVersions",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
)


def lake_formation(context: Context, key_arn: str) -> list[Statement]:
    """Lake Formation reads and writes the files of tables, on behalf of principals that it authorized."""
    return [
        allow(_FILES, [context.bucket_arn(zone, f"/{TABLES}/*") for zone in ZONES], sid="FilesOfTables"),
        allow(
            ["s3:ListBucket", "s3:GetBucketLocation"],
            [context.bucket_arn(zone) for zone in ZONES],
            sid="FindFiles",
        ),
        allow(_USE_OF_KEY, key_arn, sid="UseKey"),
        *(lake_formation_statements(context) if context.settings.billing_export is not None else []),
    ]


def writer(context: Context, key_arn: str) -> list[Statement]:
    """Pipelines change tables. They create and drop none: tables are declared."""
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


def optimizer(context: Context) -> list[Statement]:
    """Table optimizers get files from Lake Formation, which governs the location of the tables (Glue
    developer guide, "Table optimization prerequisites")."""
    groups = [context.account.arn("logs", f"log-group:/aws-glue/{log}/logs:*") for log in _OPTIMIZER_LOGS]
    return [
        allow(["glue:GetTable", "glue:UpdateTable"], context.catalog_arns, sid="Tables"),
        allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], groups, sid="WriteLogs"),
        GET_DATA_ACCESS,
    ]


def table_migrator(context: Context) -> list[Statement]:
    """The table migrator changes schemas in the catalog. It has no permission on a bucket."""
    group = context.account.arn("logs", f"log-group:{KEEPER_LOGS.of(context.settings.prefix)}:*")
    return [
        allow(
            [
                "glue:GetCatalog",
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetIcebergTableMetadata",
                "glue:UpdateTable",
            ],
            context.catalog_arns,
            sid="Tables",
        ),
        allow(
            ["glue:CreateDatabase"],
            [
                context.account.arn("glue", "catalog"),
                context.account.arn("glue", f"database/{DEFAULT_DATABASE}"),
            ],
            sid="DefaultDatabase",
        ),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], group, sid="WriteLogs"),
        GET_DATA_ACCESS,
    ]


def streams(context: Context, key_arn: str) -> list[Statement]:
    """What Firehose requires (Amazon Data Firehose developer guide, "Grant Firehose access to an Apache
    Iceberg Tables destination"), limited to raw and the tables of streams."""
    declared = {table.path: table.name for table in context.settings.tables}
    names = sorted({declared[stream.table] for stream in context.settings.streams})
    files = [context.bucket_arn("raw", f"/{TABLES}/{name}/*") for name in names]
    group = context.account.arn("logs", f"log-group:{STREAM_LOGS.of(context.settings.prefix)}:*")
    return [
        allow(
            ["glue:GetTable", "glue:GetDatabase", "glue:UpdateTable"],
            [
                *(arn for arn in context.catalog_arns if ":catalog" in arn),
                *context.table_arns("raw", *names),
            ],
            sid="Tables",
        ),
        allow(
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            [
                *([] if context.uses_s3_tables else files),
                context.bucket_arn("raw", f"/{FILES}/errors/*"),
            ],
            sid="Files",
        ),
        allow(
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            context.bucket_arn("raw"),
            sid="FindFiles",
        ),
        allow(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            key_arn,
            {"StringEquals": {"kms:ViaService": context.via_service("s3")}},
            sid="UseKey",
        ),
        allow(["logs:PutLogEvents"], group, sid="WriteLogs"),
        GET_DATA_ACCESS,
    ]


def producers(stream_arns: Sequence[str]) -> Statement:
    """Producers send events to streams."""
    actions = ["firehose:DescribeDeliveryStream", "firehose:PutRecord", "firehose:PutRecordBatch"]
    return allow(actions, stream_arns, sid="Send")


def capture(
    context: Context, capture: LakehouseCaptureSettings, key_arn: str, secret: str, secret_key: str | None
) -> list[Statement]:
    """DMS reads the database's credentials and writes files of the capture to raw."""
    open_secret = [
        allow(
            ["kms:Decrypt", "kms:DescribeKey"],
            key,
            {"StringEquals": {"kms:ViaService": context.via_service("secretsmanager")}},
            sid="OpenSecret",
        )
        for key in (secret_key,)
        if key
    ]
    return [
        allow(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], secret, sid="Credentials"),
        *open_secret,
        allow(
            ["s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"],
            context.bucket_arn("raw", f"/{FILES}/captures/{capture.name}/*"),
            sid="Files",
        ),
        allow(["s3:ListBucket", "s3:GetBucketLocation"], context.bucket_arn("raw"), sid="FindFiles"),
        allow(["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], key_arn, sid="UseKey"),
    ]


def quality(context: Context, key_arn: str) -> list[Statement]:
    """The quality job reads tables and the gate's script, and writes Spark's temporary files."""
    return [
        *_glue_jobs(context),
        allow(
            ["s3:GetObject"],
            [
                context.bucket_arn("curated", f"/{GATE_SCRIPT}"),
                *(
                    context.bucket_arn(table.zone, f"/{TABLES}/{table.name}/*")
                    for table in context.settings.tables
                    if table.quality is not None
                ),
            ],
            sid="Read",
        ),
        allow(
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            context.bucket_arn("raw", f"/{SPILL}/quality/*"),
            sid="PutAside",
        ),
        allow(
            ["s3:ListBucket", "s3:GetBucketLocation"],
            [context.bucket_arn(zone) for zone in ZONES],
            sid="FindFiles",
        ),
        allow(_USE_OF_KEY, key_arn, sid="UseKey"),
        allow(READ_CATALOG, context.catalog_arns, sid="Tables"),
        GET_DATA_ACCESS,
    ]


def batches(context: Context) -> list[Statement]:
    """The writer runs batches: in addition to its permissions on tables."""
    scripts = sorted({batch.script.partition("://")[2] for batch in context.settings.batches})
    arns = [f"arn:{context.account.partition}:s3:::{script}" for script in scripts]
    return [*_glue_jobs(context), allow(["s3:GetObject"], arns, sid="ReadScripts")]


def _glue_jobs(context: Context) -> list[Statement]:
    """What a role needs to run Glue jobs, in addition to its permissions on tables."""
    return [
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"],
            context.account.arn("logs", f"log-group:{JOB_LOGS}*"),
            sid="WriteLogs",
        ),
        allow(
            ["cloudwatch:PutMetricData"],
            "*",
            {"StringEquals": {"cloudwatch:namespace": ["Glue", "Glue Data Quality"]}},
            sid="WriteMetrics",
        ),
        allow(["glue:GetSecurityConfiguration"], "*", sid="ReadEncryption"),
        allow(
            ["glue:GetDataQualityRuleset", "glue:PublishDataQuality"],
            context.account.arn("glue", f"dataQualityRuleset/{context.settings.prefix}-*"),
            sid="Rules",
        ),
    ]
