"""What Glue jobs of a lakehouse share: Spark's settings, encryption, schedules, and a role's rights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import glue, iam, kms

from aiplatform._shared.aws.policy_documents import Statement, allow
from aiplatform.lakehouse.aws.context import PLATFORM, SPILL, Context
from aiplatform.lakehouse.aws.names import BATCH, JOB_LOGS
from aiplatform.lakehouse.schedules import as_aws
from aiplatform.lakehouse.tables import TableSettings

GLUE_VERSION: Final = "5.1"
"""With Iceberg 1.10 (Glue developer guide, "Using the Iceberg framework in AWS Glue")."""
GATE: Final = f"{PLATFORM}/gate.py"
"""Where the gate's script is in curated's bucket: beside `files/`, which may have a lifetime."""
SIZES: Final = {"small": "G.1X", "medium": "G.2X", "large": "G.4X"}
BRANCH: Final = "incoming"


@dataclass(frozen=True)
class Work:
    """What one job does, and how large it may get. logical: the last part of its logical name."""

    logical: str
    name: str
    description: str
    script: str
    role: iam.Role
    arguments: Mapping[str, str]
    size: str = "small"
    workers: int = 2
    timeout: int = 60
    retries: int = 0
    runs: int = 1


def encrypted(context: Context, key: kms.Key) -> glue.SecurityConfiguration:
    """What jobs write beside tables is under the key, too: logs, spills, bookmarks."""
    encryption = glue.SecurityConfigurationEncryptionConfigurationArgs
    return glue.SecurityConfiguration(
        f"{context.name}-jobs",
        name=f"{BATCH.of(context.settings.prefix)}-lakehouse",
        encryption_configuration=encryption(
            cloudwatch_encryption=glue.SecurityConfigurationEncryptionConfigurationCloudwatchEncryptionArgs(
                cloudwatch_encryption_mode="SSE-KMS", kms_key_arn=key.arn
            ),
            job_bookmarks_encryption=glue.SecurityConfigurationEncryptionConfigurationJobBookmarksEncryptionArgs(
                job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=key.arn
            ),
            s3_encryption=glue.SecurityConfigurationEncryptionConfigurationS3EncryptionArgs(
                s3_encryption_mode="SSE-KMS", kms_key_arn=key.arn
            ),
        ),
        opts=context.options(delete_before_replace=True),
    )


def job(
    context: Context, work: Work, encrypted: glue.SecurityConfiguration, after: Sequence[pulumi.Resource]
) -> glue.Job:
    """A job. after: what must stand before it runs."""
    return glue.Job(
        f"{context.name}-{work.logical}",
        name=work.name,
        description=work.description,
        role_arn=work.role.arn,
        glue_version=GLUE_VERSION,
        command=glue.JobCommandArgs(name="glueetl", python_version="3", script_location=work.script),
        default_arguments={
            "--job-language": "python",
            "--datalake-formats": "iceberg",
            "--enable-auto-scaling": "true",
            "--enable-metrics": "true",
            "--enable-continuous-cloudwatch-log": "true",
            "--TempDir": f"s3://{context.bucket('raw')}/{SPILL}/{work.logical}/",
            **work.arguments,
        },
        worker_type=SIZES[work.size],
        number_of_workers=work.workers,
        timeout=work.timeout,
        max_retries=work.retries,
        execution_property=glue.JobExecutionPropertyArgs(max_concurrent_runs=work.runs),
        security_configuration=encrypted.name,
        tags=context.tags(work.logical),
        opts=context.options(*after, delete_before_replace=True),
    )


def conf(context: Context, *, branch: bool) -> str:
    """Spark's settings: the lakehouse's catalog as `glue_catalog` (Glue developer guide, "Using the Iceberg
    framework in AWS Glue"), and the branch that writes go to (Iceberg, "Branching and Tagging")."""
    catalog = "spark.sql.catalog.glue_catalog"
    settings = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        **{f"{catalog}.{key}": value for key, value in context.spark_catalog.items()},
        **({"spark.wap.branch": BRANCH} if branch else {}),
    }
    # One argument; Glue puts `--conf` before the first alone.
    return " --conf ".join(f"{key}={value}" for key, value in settings.items())


def ruleset_name(context: Context, path: str) -> str:
    """What a table's ruleset is called."""
    return f"{context.settings.prefix}-{path.replace('.', '-')}"


def named(context: Context, paths: Sequence[str]) -> str:
    """Tables with their rulesets, as the gate takes them."""
    declared = {table.path: table for table in context.settings.tables}
    return ",".join(f"{_called(context, declared[path])}={ruleset_name(context, path)}" for path in paths)


def _called(context: Context, table: TableSettings) -> str:
    return f"{context.database(table.zone)}.{table.name}"


def scheduled(
    context: Context, purpose: str, job: glue.Job, schedule: str, arguments: Mapping[str, str]
) -> None:
    """Start a job on a schedule."""
    glue.Trigger(
        f"{context.name}-{purpose}",
        name=f"{context.settings.prefix}-{purpose}",
        type="SCHEDULED",
        schedule=as_aws(schedule),
        start_on_creation=True,
        actions=[glue.TriggerActionArgs(job_name=job.name, arguments=dict(arguments) or None)],
        tags=context.tags(purpose),
        opts=context.options(delete_before_replace=True),
    )


def runs_jobs(context: Context) -> list[Statement]:
    """What a role needs that jobs run as, beside tables."""
    arn = context.place.arn
    prefix = context.settings.prefix
    return [
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"],
            arn("logs", f"log-group:{JOB_LOGS}*"),
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
            arn("glue", f"dataQualityRuleset/{prefix}-*"),
            sid="Rules",
        ),
    ]
