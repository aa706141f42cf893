"""Quality on AWS: a ruleset of Glue Data Quality for each table, the gate's script, and a job that looks at
rules on a schedule.

An evaluation run of Glue Data Quality would not do: it reads the catalog's tables as DynamicFrames, and those
of Iceberg that Lake Formation governs cannot be read so (Glue developer guide, "Limitations" of data lake
frameworks). A job reads them as Spark does, and has the same service judge them.
"""

from collections.abc import Mapping, Sequence
from importlib import resources

import pulumi
from pulumi_aws import glue, iam, kms, lakeformation, s3

from aiplatform._shared.aws.policy_documents import Statement, allow, document, trust
from aiplatform.lakehouse import quality_gate
from aiplatform.lakehouse.aws.catalog_entries import Entry
from aiplatform.lakehouse.aws.context import SPILL, TABLES, Context
from aiplatform.lakehouse.aws.event_rules import told
from aiplatform.lakehouse.aws.glue_jobs import (
    GATE,
    Work,
    conf,
    job,
    named,
    ruleset_name,
    runs_jobs,
    scheduled,
)
from aiplatform.lakehouse.aws.names import BATCH, QUALITY, QUALITY_ROLE
from aiplatform.lakehouse.aws.roles import GET_DATA_ACCESS, READ_CATALOG
from aiplatform.lakehouse.quality import QualitySettings, render
from aiplatform.lakehouse.tables import ZONES


def tester(context: Context) -> iam.Role | None:
    """Who looks at rules on a schedule; nobody where no table has one."""
    if not any(rules.schedule for rules in context.quality.values()):
        return None
    return iam.Role(
        f"{context.name}-tester",
        name_prefix=QUALITY_ROLE.of(context.settings.prefix),
        description="Reads tables to look at their rules",
        assume_role_policy=trust("glue.amazonaws.com"),
        tags=context.settings.tags,
        opts=context.options(),
    )


def rulesets(
    context: Context, tables: Mapping[str, Entry], kept: Mapping[str, pulumi.Resource]
) -> dict[str, glue.DataQualityRuleset]:
    """The rulesets, by the tables' paths. kept: what has brought each table to its declaration."""
    return {
        path: _ruleset(context, path, rules, tables[path], kept[path])
        for path, rules in context.quality.items()
    }


def gate(context: Context, after: Sequence[pulumi.Resource]) -> s3.BucketObjectv2 | None:
    """The gate's script, where a table has rules. after: what the bucket must have first."""
    if not context.quality:
        return None
    text = resources.files(quality_gate).joinpath("gate.py").read_text(encoding="utf-8")
    return s3.BucketObjectv2(
        f"{context.name}-gate",
        bucket=context.bucket("curated"),
        key=GATE,
        content=text,
        content_type="text/x-python",
        opts=context.options(*after),
    )


def _ruleset(
    context: Context,
    path: str,
    rules: QualitySettings,
    table: Entry,
    kept: pulumi.Resource,
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
        opts=context.options(kept, delete_before_replace=True),
    )


def looked_at(
    context: Context,
    role: iam.Role,
    key: kms.Key,
    encrypted: glue.SecurityConfiguration,
    tables: Mapping[str, Entry],
    rulesets: Mapping[str, glue.DataQualityRuleset],
    after: Sequence[pulumi.Resource],
) -> None:
    """The job that looks at rules, and when. after: what must stand before it runs."""
    rights = iam.RolePolicy(
        f"{context.name}-tester",
        name="tester",
        role=role.name,
        policy=key.arn.apply(lambda arn: document(*tester_rights(context, arn))),
        opts=context.options(),
    )
    let = [
        lakeformation.Permissions(
            f"{context.name}-tester-{path}",
            principal=role.arn,
            permissions=["DESCRIBE", "SELECT"],
            table=lakeformation.PermissionsTableArgs(
                catalog_id=context.catalog_id,
                database_name=tables[path].database_name,
                name=tables[path].name,
            ),
            opts=context.options(delete_before_replace=True),
        )
        for path in rulesets
    ]
    work = Work(
        logical="quality",
        name=quality_job(context),
        description=f"Looks at the rules of {context.settings.prefix}'s tables",
        script=f"s3://{context.bucket('curated')}/{GATE}",
        role=role,
        arguments={"--conf": conf(context, branch=False), "--gate_tables": named(context, list(rulesets))},
        runs=10,
    )
    made = job(context, work, encrypted, [*after, rights, *let, *rulesets.values()])
    for path, rules in context.quality.items():
        if rules.schedule:
            arguments = {"--gate_tables": named(context, [path])}
            scheduled(context, f"quality-{path.replace('.', '-')}", made, rules.schedule, arguments)


def quality_job(context: Context) -> str:
    """What the job is called that looks at rules."""
    return f"{BATCH.of(context.settings.prefix)}-lakehouse-quality"


def tell(context: Context) -> None:
    """Rules that do not hold, as Glue tells EventBridge (Glue developer guide, "Setting up alerts,
    deployments, and scheduling" of data quality)."""
    prefix = BATCH.of(context.settings.prefix)
    gated = [f"{prefix}-{batch.name}" for batch in context.settings.batches if batch.publishes]
    told(
        context,
        "quality",
        QUALITY,
        f"Rules of {context.settings.prefix}'s tables that do not hold",
        {
            "source": ["aws.glue-dataquality"],
            "detail-type": ["Data Quality Evaluation Results Available"],
            "detail": {
                "context": {"jobName": [quality_job(context), *gated]},
                "state": ["FAILED"],
            },
        },
        context.settings.quality_targets,
    )


def tester_rights(context: Context, key_arn: str) -> list[Statement]:
    """It reads tables and the script, and writes what Spark puts aside."""
    return [
        *runs_jobs(context),
        allow(
            ["s3:GetObject"],
            [
                context.bucket_arn("curated", f"/{GATE}"),
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
        allow(["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], key_arn, sid="UseKey"),
        allow(READ_CATALOG, context.catalog_arns, sid="Tables"),
        GET_DATA_ACCESS,
    ]
