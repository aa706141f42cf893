"""Glue jobs of a lakehouse: Spark's configuration, encryption and schedules, which all jobs share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input
from pulumi_aws import glue

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.roles import ServiceRole
from aiplatform._shared.outputs import mapped
from aiplatform.lakehouse.aws.context import SPILL, Context
from aiplatform.lakehouse.aws.names import BATCH
from aiplatform.lakehouse.schedules import as_aws

GLUE_VERSION: Final = "5.1"
"""It has Iceberg 1.10 (Glue developer guide, "Using the Iceberg framework in AWS Glue")."""
SIZES: Final = {"small": "G.1X", "medium": "G.2X", "large": "G.4X"}
BRANCH: Final = "incoming"
"""The branch that gated batches write to."""


@dataclass(frozen=True)
class Job:
    """What one job runs, and its size. logical: the last part of its logical name. timeout: in minutes."""

    logical: str
    name: str
    description: str
    script: str
    role: ServiceRole
    arguments: Mapping[str, Input[str]]
    size: str = "small"
    workers: Input[int] = 2
    timeout: Input[int] = 60
    retries: Input[int] = 0
    runs: int = 1


def create_security_configuration(context: Context, key: Key) -> glue.SecurityConfiguration:
    """Encrypt what jobs write outside of tables: logs, temporary files, bookmarks."""
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


def create_job(
    context: Context,
    job: Job,
    security: glue.SecurityConfiguration,
    depends_on: Sequence[pulumi.Resource],
) -> glue.Job:
    """Create a job. depends_on: what must exist before it runs."""
    return glue.Job(
        f"{context.name}-{job.logical}",
        name=job.name,
        description=job.description,
        role_arn=job.role.arn,
        glue_version=GLUE_VERSION,
        command=glue.JobCommandArgs(name="glueetl", python_version="3", script_location=job.script),
        default_arguments={
            "--job-language": "python",
            "--datalake-formats": "iceberg",
            "--enable-auto-scaling": "true",
            "--enable-metrics": "true",
            "--enable-continuous-cloudwatch-log": "true",
            "--TempDir": f"s3://{context.bucket('raw')}/{SPILL}/{job.logical}/",
            **job.arguments,
        },
        worker_type=SIZES[job.size],
        number_of_workers=job.workers,
        timeout=job.timeout,
        max_retries=job.retries,
        execution_property=glue.JobExecutionPropertyArgs(max_concurrent_runs=job.runs),
        security_configuration=security.name,
        tags=context.tags(job.logical),
        opts=context.options(*depends_on, delete_before_replace=True),
    )


def spark_configuration(context: Context, *, branch: bool) -> str:
    """Return Spark's configuration: the lakehouse's catalog as `glue_catalog` (Glue developer guide, "Using
    the Iceberg framework in AWS Glue"), and with `branch` the branch that writes go to (Iceberg, "Branching
    and Tagging")."""
    catalog = "spark.sql.catalog.glue_catalog"
    settings = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        **{f"{catalog}.{key}": value for key, value in context.spark_catalog.items()},
        **({"spark.wap.branch": BRANCH} if branch else {}),
    }
    # One argument; Glue puts `--conf` before the first entry only.
    return " --conf ".join(f"{key}={value}" for key, value in settings.items())


def ruleset_name(context: Context, path: str) -> str:
    """Return the name of a table's ruleset."""
    return f"{context.settings.prefix}-{path.replace('.', '-')}"


def gate_tables(context: Context, paths: Sequence[str]) -> str:
    """Return tables and their rulesets in the form of the gate's argument, `database.table=ruleset,...`."""
    declared = {table.path: table for table in context.settings.tables}
    return ",".join(
        f"{context.database(declared[path].zone)}.{declared[path].name}={ruleset_name(context, path)}"
        for path in paths
    )


def schedule_job(
    context: Context, purpose: str, job: glue.Job, schedule: Input[str], arguments: Mapping[str, str]
) -> None:
    """Start a job on a schedule."""
    glue.Trigger(
        f"{context.name}-{purpose}",
        name=f"{context.settings.prefix}-{purpose}",
        type="SCHEDULED",
        schedule=mapped(schedule, as_aws),
        start_on_creation=True,
        actions=[glue.TriggerActionArgs(job_name=job.name, arguments=dict(arguments) or None)],
        tags=context.tags(purpose),
        opts=context.options(delete_before_replace=True),
    )
