"""Data policies of columns, and the statements that give a table its columns and policies.

Policies of tables of the Iceberg catalog are attached by SQL alone, in four-part names ("Row-level and
column-level security"): BigQuery runs the statements as a job, again whenever they change. Each statement can
be repeated.

Access waits for that job. `shape` answers a table's name for the IAM members of the table, and only once the
job is done without errors. As the name comes from the job too, and the job is deleted before it is replaced,
the engine deletes these members before it runs other statements, and creates them again afterwards: where
the statements fail, no granted principal can read the table.

The statements are also an object in Cloud Storage, whose generation is part of the job's id. BigQuery accepts
an id once, and statements can come back: a grant that was added and is removed again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi import Output
from pulumi_gcp import biglake, bigquery, storage

from aiplatform.lakehouse.gcp import bigquery_types
from aiplatform.lakehouse.gcp.access import PROTECTED, Inside, Policy, Rows, on_column, policies, rows
from aiplatform.lakehouse.gcp.buckets import bigquery_agent
from aiplatform.lakehouse.gcp.context import Context, grantees
from aiplatform.lakehouse.gcp.outcomes import Outcomes
from aiplatform.lakehouse.tables import TableSettings, Zone

_PLATFORM: Final = "platform"
"""The folder of statements in the bucket of curated. Neither writers nor readers have access to it."""

Policies = dict[str, bigquery.Datapolicyv2DataPolicy]
"""A policy's name after the prefix -> the policy."""


def column_policies(context: Context, inside: Inside) -> tuple[list[Policy], Policies]:
    """The data policies of columns. inside: the platform's own readers of each table.

    No policy is without grantees: for the provider `grantees` is a computed property (magic-modules,
    DataPolicy.yaml: default_from_api), of which an empty list need not be a change, so the last principal
    could stay. BigQuery's account for keys, which reads nothing, takes its place.
    """
    declared = policies(context.settings, inside)
    no_reader = Output.concat("serviceAccount:", bigquery_agent(context))
    return declared, {
        policy.name: bigquery.Datapolicyv2DataPolicy(
            f"{context.name}-{policy.name.replace('_', '-')}",
            project=context.project,
            location=context.region,
            data_policy_id=_id(context, policy),
            data_policy_type="DATA_MASKING_POLICY" if policy.kind == "masked" else "RAW_DATA_ACCESS_POLICY",
            data_masking_policy=bigquery.Datapolicyv2DataPolicyDataMaskingPolicyArgs(
                # Of every type, and tells nothing: a hash of few values is soon undone.
                predefined_expression="ALWAYS_NULL"
            )
            if policy.kind == "masked"
            else None,
            grantees=grantees(policy.principals or [no_reader]),
            # A policy cannot be deleted while a column has it.
            opts=context.options(context.apis["bigquerydatapolicy"], retain=True, delete_before_replace=True),
        )
        for policy in declared
    }


def _id(context: Context, policy: Policy) -> str:
    return f"{context.settings.prefix.replace('-', '_')}_{policy.name}"


def of_table(declared: Sequence[Policy], made: Policies, table: TableSettings) -> list[pulumi.Resource]:
    """The policies of a table: each is deleted after the last column that has it."""
    return [made[policy.name] for policy in declared if policy.path == table.path]


def shape(
    context: Context,
    buckets: Mapping[Zone, storage.Bucket],
    tables: Mapping[str, biglake.IcebergTable],
    declared: Sequence[Policy],
    made: Policies,
    inside: Inside,
    outcomes: Outcomes,
) -> dict[str, Output[str]]:
    """Give each table of the catalog its columns and policies. Answers the table's name for its IAM
    members: it is known once the policies are in force."""
    names: dict[str, Output[str]] = {}
    for table in context.catalogued:
        one = tables[table.path]
        whole, some = rows(context.settings, table, inside.get(table.path, ()))
        members = [member for each in (whole, *some) for member in each.principals]
        there = one.schema.apply(_of_iceberg)
        script = Output.all(there, *members).apply(
            lambda known, table=table, all_rows=(whole, *some): ";\n".join(
                [
                    *_column_statements(context, context.four_parts(table), table, declared, known[0]),
                    *_row_statements(context, table, all_rows, known[1:]),
                ]
            )
        )
        needed = [one, *of_table(declared, made, table)]
        # Its location has an ending of its own, also when it is made anew.
        names[table.path] = _run(context, buckets, table, one.name, script, one.location, needed, outcomes)
    return names


def shape_streamed(
    context: Context,
    buckets: Mapping[Zone, storage.Bucket],
    tables: Mapping[str, bigquery.Table],
    declared: Sequence[Policy],
    made: Policies,
    outcomes: Outcomes,
) -> dict[str, Output[str]]:
    """The same for tables that BigQuery writes; it knows no policies of their rows."""
    names: dict[str, Output[str]] = {}
    for table in context.streamed:
        one = tables[table.path]
        quoted = f"`{context.project}.{context.streams_dataset}.{table.name}`"
        script = one.schema.apply(
            lambda schema, table=table, quoted=quoted: ";\n".join(
                _column_statements(context, quoted, table, declared, _of_bigquery(schema))
            )
        )
        needed = [one, *of_table(declared, made, table)]
        born = one.creation_time
        names[table.path] = _run(context, buckets, table, one.table_id, script, born, needed, outcomes)
    return names


def _of_iceberg(schema: Any) -> list[str]:
    """The columns that a table has, those that clients added included."""
    fields: list[Any] = list((schema.fields if schema is not None else None) or ())
    return [str(field.name) for field in fields]


def _of_bigquery(schema: str | None) -> list[str]:
    fields: list[dict[str, Any]] = json.loads(schema or "[]") or []
    return [str(field["name"]) for field in fields]


def _run(
    context: Context,
    buckets: Mapping[Zone, storage.Bucket],
    table: TableSettings,
    name: Output[str],
    script: Output[str],
    born: Output[Any],
    needed: Sequence[pulumi.Resource],
    outcomes: Outcomes,
) -> Output[str]:
    """Run a table's statements as a job; answers the table's name once it is done. born: what another table
    of the name has not."""
    # All whose change replaces the job, so that it has another id then.
    content = Output.all(script, born).apply(lambda parts: _content(context, parts))
    written = storage.BucketObject(
        f"{context.name}-{table.zone}-{table.name}-statements",
        # Not in raw: under a legal hold no object can be overwritten.
        bucket=buckets["curated"].name,
        name=f"{_PLATFORM}/policies/{table.path}.sql",
        content=content,
        content_type="application/sql",
        # A bucket holds one object of a name: one that is deleted afterwards would be the new one.
        opts=context.options(delete_before_replace=True),
    )
    job = bigquery.Job(
        f"{context.name}-{table.zone}-{table.name}-shape",
        project=context.project,
        location=context.region,
        job_id=Output.all(content, written.generation).apply(lambda parts: _job(context, table, *parts)),
        labels=context.labels,
        query=bigquery.JobQueryArgs(
            query=script,
            use_legacy_sql=False,
            # What neither makes nor fills a table says so.
            create_disposition="",
            write_disposition="",
        ),
        # What is given by the old policies is deleted before other statements run.
        opts=context.options(*needed, delete_before_replace=True),
    )
    return outcomes.once_done(table.path, name, job, written, script)


def _content(context: Context, parts: Sequence[Any]) -> str:
    script, born = parts
    labels = json.dumps(context.labels or {}, sort_keys=True)
    return f"-- Table: {json.dumps(str(born))}\n-- Labels: {labels}\n{script}\n"


def _job(context: Context, table: TableSettings, content: str, generation: int) -> str:
    """A job's id, which BigQuery accepts once: Cloud Storage assigns a new generation to each write."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return f"{context.settings.prefix}-{table.zone}-{table.name}-{digest}-{int(generation)}"


def _column_statements(
    context: Context, name: str, table: TableSettings, declared: Sequence[Policy], there: Iterable[str]
) -> list[str]:
    """Columns that are new, with their policies from the beginning; then the policies of all, those included
    that a client added. Two statements, however many columns: BigQuery takes five changes of a table in ten
    seconds ("Quotas and limits")."""
    added = [
        f"ADD COLUMN IF NOT EXISTS `{column.name}` {bigquery_types.of(column.field.type)}"
        + (_options(context, table, column.name, declared) if column.classification in PROTECTED else "")
        for column in table.columns
    ]
    names = [column.name for column in table.columns]
    # Also of columns without any: one that became public has those that it had.
    governed = [
        f"ALTER COLUMN `{column}` SET{_options(context, table, column, declared)}"
        for column in [*names, *sorted(set(there) - set(names))]
    ]
    return [f"ALTER TABLE {name}\n  " + ",\n  ".join(actions) for actions in (added, governed)]


def _options(context: Context, table: TableSettings, column: str, declared: Sequence[Policy]) -> str:
    names = [
        f"{{'name':'{context.project}.region-{context.region}.{_id(context, policy)}'}}"
        for policy in on_column(declared, table, column)
    ]
    return f" OPTIONS (data_policies = [{', '.join(json.dumps(name) for name in names)}])"


def _row_statements(
    context: Context, table: TableSettings, policies: Sequence[Rows], members: Sequence[Any]
) -> list[str]:
    """The policy of all rows first: a table without any shows all rows to everybody that can read it."""
    known = iter([str(member) for member in members])
    statements: list[str] = []
    for each in policies:
        named = sorted({next(known) for _ in each.principals})
        on = f"ROW ACCESS POLICY {{}}`{each.name}` ON {context.four_parts(table)}"
        if not named:
            statements.append(f"DROP {on.format('IF EXISTS ')}")
            continue
        listed = ", ".join(json.dumps(member) for member in named)
        statements.append(
            f"CREATE OR REPLACE {on.format('')}\n  GRANT TO ({listed}) FILTER USING ({each.condition})"
        )
    return statements
