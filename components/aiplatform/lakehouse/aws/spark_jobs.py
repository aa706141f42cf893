"""Batches on AWS: Glue jobs for Spark with the writer role."""

from collections.abc import Sequence

import pulumi
from pulumi_aws import glue, iam

from aiplatform._shared.aws.policy_documents import document
from aiplatform._shared.aws.roles import ServiceRole
from aiplatform.lakehouse.aws.context import GATE_SCRIPT, Context
from aiplatform.lakehouse.aws.glue_jobs import (
    Job,
    create_job,
    gate_tables,
    schedule_job,
    spark_configuration,
)
from aiplatform.lakehouse.aws.names import BATCH
from aiplatform.lakehouse.aws.permissions import batches
from aiplatform.lakehouse.aws.quality import QualityGate
from aiplatform.lakehouse.ingestion import LakehouseBatchSettings


def create_batches(
    context: Context,
    writer: ServiceRole,
    security: glue.SecurityConfiguration,
    gate: QualityGate,
    depends_on: Sequence[pulumi.Resource],
) -> dict[str, glue.Job]:
    """Create the jobs; returns them by their names. depends_on: what must exist before a job runs."""
    # In addition to the writer's permissions on tables: logs, rules, and the scripts.
    policy = iam.RolePolicy(
        f"{context.name}-writer-jobs",
        name="jobs",
        role=writer.name,
        policy=document(*batches(context)),
        opts=context.options(),
    )
    jobs: dict[str, glue.Job] = {}
    for batch in context.settings.batches:
        jobs[batch.name] = create_job(
            context, _job(context, batch, writer), security, [*depends_on, *gate.resources, policy]
        )
        if batch.schedule is not None:
            schedule_job(context, f"batch-{batch.name}", jobs[batch.name], batch.schedule, {})
    return jobs


def _job(context: Context, batch: LakehouseBatchSettings, writer: ServiceRole) -> Job:
    gated = bool(batch.publishes)
    gate = {"--gate_script": batch.script, "--gate_tables": gate_tables(context, batch.publishes)}
    return Job(
        logical=f"batch-{batch.name}",
        name=f"{BATCH.of(context.settings.prefix)}-{batch.name}",
        description=f"Batch {batch.name} of {context.settings.prefix}'s lakehouse",
        script=f"s3://{context.bucket('curated')}/{GATE_SCRIPT}" if gated else batch.script,
        role=writer,
        arguments={
            **{f"--{name}": value for name, value in batch.arguments.items()},
            **(gate if gated else {}),
            "--conf": spark_configuration(context, branch=gated),
        },
        size=batch.worker_size,
        workers=batch.workers,
        timeout=batch.timeout_minutes,
        retries=0 if batch.retries is None else batch.retries,
    )
