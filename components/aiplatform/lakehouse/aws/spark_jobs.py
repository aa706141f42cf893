"""Batches on AWS: Glue jobs for Spark, as the writer."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import glue, iam

from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.glue_jobs import GATE, Work, conf, job, named, runs_jobs, scheduled
from aiplatform.lakehouse.aws.names import BATCH
from aiplatform.lakehouse.ingestion import BatchSettings


def batches(
    context: Context,
    writer: iam.Role,
    encrypted: glue.SecurityConfiguration,
    rulesets: Mapping[str, glue.DataQualityRuleset],
    after: Sequence[pulumi.Resource],
) -> dict[str, glue.Job]:
    """The jobs by their names. after: what must stand before one runs."""
    if not context.settings.batches:
        return {}
    rights = _writer_runs(context, writer)
    first = [*after, rights, *rulesets.values()]
    jobs: dict[str, glue.Job] = {}
    for batch in context.settings.batches:
        jobs[batch.name] = job(context, _work(context, batch, writer), encrypted, first)
        if batch.schedule:
            scheduled(context, f"batch-{batch.name}", jobs[batch.name], batch.schedule, {})
    return jobs


def _work(context: Context, batch: BatchSettings, writer: iam.Role) -> Work:
    gated = bool(batch.publishes)
    gate = {"--gate_script": batch.script, "--gate_tables": named(context, batch.publishes)}
    return Work(
        logical=f"batch-{batch.name}",
        name=f"{BATCH.of(context.settings.prefix)}-{batch.name}",
        description=f"Batch {batch.name} of {context.settings.prefix}'s lakehouse",
        script=f"s3://{context.bucket('curated')}/{GATE}" if gated else batch.script,
        role=writer,
        arguments={
            **{f"--{name}": value for name, value in batch.arguments.items()},
            **(gate if gated else {}),
            "--conf": conf(context, branch=gated),
        },
        size=batch.worker_size,
        workers=batch.workers,
        timeout=batch.timeout_minutes,
        retries=batch.retries,
    )


def _writer_runs(context: Context, writer: iam.Role) -> iam.RolePolicy:
    """The writer's rights as a job: logs, rules, and the scripts."""
    return iam.RolePolicy(
        f"{context.name}-writer-jobs",
        name="jobs",
        role=writer.name,
        policy=document(*run_rights(context)),
        opts=context.options(),
    )


def run_rights(context: Context) -> list[Statement]:
    """Return the rights of the writer as a job, in addition to those on tables."""
    scripts = sorted({batch.script.partition("://")[2] for batch in context.settings.batches})
    arns = [f"arn:{context.place.partition}:s3:::{script}" for script in scripts]
    return [*runs_jobs(context), allow(["s3:GetObject"], arns, sid="ReadScripts")]
