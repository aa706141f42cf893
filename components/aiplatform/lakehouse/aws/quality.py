"""Quality on AWS: a ruleset of Glue Data Quality for each table, the script of the quality gate, and a job
that evaluates rules on a schedule.

The schedule does not use evaluation runs of Glue Data Quality: they read the catalog's tables as
DynamicFrames, which is not possible for Iceberg tables that Lake Formation governs (Glue developer guide,
"Limitations" of data lake frameworks). The job reads them by Spark, and evaluates them by the same service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import pulumi
from pulumi_aws import glue, lakeformation, s3

from aiplatform._shared.aws.roles import ServiceRole
from aiplatform.lakehouse import quality_gate
from aiplatform.lakehouse.aws.catalog_entries import Catalog, MigratedTable
from aiplatform.lakehouse.aws.context import GATE_SCRIPT, Context
from aiplatform.lakehouse.aws.event_rules import create_event_rule
from aiplatform.lakehouse.aws.glue_jobs import (
    Job,
    create_job,
    gate_tables,
    ruleset_name,
    schedule_job,
    spark_configuration,
)
from aiplatform.lakehouse.aws.names import BATCH, QUALITY
from aiplatform.lakehouse.quality import LakehouseQualitySettings, render


@dataclass(frozen=True)
class QualityGate:
    """The rulesets by the tables' paths, and the gate's script; None where no table has rules."""

    rulesets: Mapping[str, glue.DataQualityRuleset]
    script: s3.BucketObjectv2 | None

    @property
    def resources(self) -> list[pulumi.Resource]:
        """What a job depends on that evaluates rules."""
        return [*([self.script] if self.script is not None else []), *self.rulesets.values()]


def create_quality_gate(
    context: Context, catalog: Catalog, depends_on: Sequence[pulumi.Resource]
) -> QualityGate:
    """Create the rulesets and the script. depends_on: what must exist before the script is uploaded."""
    rulesets = {
        path: _ruleset(context, path, rules, catalog.tables[path]) for path, rules in context.quality.items()
    }
    if not context.quality:
        return QualityGate(rulesets, None)
    script = s3.BucketObjectv2(
        f"{context.name}-gate",
        bucket=context.bucket("curated"),
        key=GATE_SCRIPT,
        content=resources.files(quality_gate).joinpath("gate.py").read_text(encoding="utf-8"),
        content_type="text/x-python",
        opts=context.options(*depends_on),
    )
    return QualityGate(rulesets, script)


def _ruleset(
    context: Context, path: str, rules: LakehouseQualitySettings, table: MigratedTable
) -> glue.DataQualityRuleset:
    return glue.DataQualityRuleset(
        f"{context.name}-{path.replace('.', '-')}",
        name=ruleset_name(context, path),
        description=f"What must hold of {path}",
        ruleset=render(rules),
        target_table=glue.DataQualityRulesetTargetTableArgs(
            database_name=table.database_name, table_name=table.name
        ),
        tags=context.tags(path),
        opts=context.options(table.migration, delete_before_replace=True),
    )


def create_quality_job(
    context: Context,
    role: ServiceRole,
    security: glue.SecurityConfiguration,
    catalog: Catalog,
    gate: QualityGate,
    depends_on: Sequence[pulumi.Resource],
) -> None:
    """Create the job that evaluates rules on a schedule. depends_on: what must exist before it runs."""
    permissions = [
        lakeformation.Permissions(
            f"{context.name}-tester-{path}",
            principal=role.arn,
            permissions=["DESCRIBE", "SELECT"],
            table=lakeformation.PermissionsTableArgs(
                catalog_id=context.catalog_id,
                database_name=catalog.tables[path].database_name,
                name=catalog.tables[path].name,
            ),
            opts=context.options(delete_before_replace=True),
        )
        for path in gate.rulesets
    ]
    job = create_job(
        context,
        Job(
            logical="quality",
            name=_job_name(context),
            description=f"Looks at the rules of {context.settings.prefix}'s tables",
            script=f"s3://{context.bucket('curated')}/{GATE_SCRIPT}",
            role=role,
            arguments={
                "--conf": spark_configuration(context, branch=False),
                "--gate_tables": gate_tables(context, list(gate.rulesets)),
            },
            runs=10,
        ),
        security,
        [*depends_on, *role.policies, *permissions, *gate.resources],
    )
    for path, rules in context.quality.items():
        if rules.schedule:
            arguments = {"--gate_tables": gate_tables(context, [path])}
            schedule_job(context, f"quality-{path.replace('.', '-')}", job, rules.schedule, arguments)


def _job_name(context: Context) -> str:
    return f"{BATCH.of(context.settings.prefix)}-lakehouse-quality"


def notify_failed_rules(context: Context) -> None:
    """Notify the targets of evaluations that failed, by Glue's events (Glue developer guide, "Setting up
    alerts, deployments, and scheduling" of data quality)."""
    prefix = BATCH.of(context.settings.prefix)
    gated = [f"{prefix}-{batch.name}" for batch in context.settings.batches if batch.publishes]
    create_event_rule(
        context,
        "quality",
        QUALITY,
        f"Rules of {context.settings.prefix}'s tables that do not hold",
        {
            "source": ["aws.glue-dataquality"],
            "detail-type": ["Data Quality Evaluation Results Available"],
            "detail": {
                "context": {"jobName": [_job_name(context), *gated]},
                "state": ["FAILED"],
            },
        },
        context.settings.quality_targets,
    )
