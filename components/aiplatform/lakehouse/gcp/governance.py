"""Data policies of columns, and the statements that add columns and policies to a table.

Policies of tables of the Iceberg catalog can be attached only by SQL, with four-part names ("Row-level and
column-level security"): BigQuery runs the statements as a job, again whenever they change. Each statement can
be repeated.

Access waits for that job. `apply_policies` returns a table's name for the IAM members of the table, which is
known only once the job is done without errors. As the name depends on the job, and the job is deleted before
it is replaced, the engine deletes these members before it runs other statements, and creates them again
afterwards: where the statements fail, no granted principal can read the table.

The statements are also an object in Cloud Storage, whose generation is part of the job's id. BigQuery accepts
an id once, and statements can recur: a grant that was added and is removed again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Output
from pulumi_gcp import biglake, bigquery, storage

from aiplatform.lakehouse.gcp import bigquery_types
from aiplatform.lakehouse.gcp.access import (
    PROTECTED,
    PlatformReaders,
    Policy,
    Rows,
    column_policies,
    policies_of_column,
    rows,
)
from aiplatform.lakehouse.gcp.buckets import Buckets, bigquery_agent
from aiplatform.lakehouse.gcp.context import Context, column_grantees
from aiplatform.lakehouse.gcp.outcomes import Outcomes
from aiplatform.lakehouse.tables import LakehouseTableSettings

_PLATFORM: Final = "platform"
"""The folder of statements in the bucket of curated. Neither writers nor readers have access to it."""


@dataclass(frozen=True)
class ColumnPolicies:
    """The data policies of columns. resources: by the policies' names after the prefix."""

    policies: Sequence[Policy]
    resources: Mapping[str, bigquery.Datapolicyv2DataPolicy]

    def of_table(self, table: LakehouseTableSettings) -> list[pulumi.Resource]:
        """Return the policies of a table: each is deleted after the last column that has it."""
        return [self.resources[policy.name] for policy in self.policies if policy.path == table.path]

    def of_column(self, table: LakehouseTableSettings, column: str) -> list[Policy]:
        """Return the policies of a column."""
        return policies_of_column(self.policies, table, column)


def create_column_policies(context: Context, readers: PlatformReaders) -> ColumnPolicies:
    """Create the data policies of columns.

    No policy is without grantees: for the provider `grantees` is a computed property (magic-modules,
    DataPolicy.yaml: default_from_api), of which an empty list need not be a change, so the last principal
    could stay. BigQuery's account for keys, which reads nothing, takes its place.
    """
    policies = column_policies(context.settings, readers)
    no_reader = Output.concat("serviceAccount:", bigquery_agent(context))
    resources = {
        policy.name: bigquery.Datapolicyv2DataPolicy(
            f"{context.name}-{policy.name.replace('_', '-')}",
            project=context.project,
            location=context.region,
            data_policy_id=_policy_id(context, policy),
            data_policy_type="DATA_MASKING_POLICY" if policy.kind == "masked" else "RAW_DATA_ACCESS_POLICY",
            data_masking_policy=bigquery.Datapolicyv2DataPolicyDataMaskingPolicyArgs(
                # For every type, and reveals nothing: a hash of few values is easily reversed.
                predefined_expression="ALWAYS_NULL"
            )
            if policy.kind == "masked"
            else None,
            grantees=column_grantees(policy.principals or [no_reader]),
            # A policy cannot be deleted while a column has it.
            opts=context.options(context.apis["bigquerydatapolicy"], retain=True, delete_before_replace=True),
        )
        for policy in policies
    }
    return ColumnPolicies(policies, resources)


def _policy_id(context: Context, policy: Policy) -> str:
    return f"{context.settings.prefix.replace('-', '_')}_{policy.name}"


def apply_policies(
    context: Context,
    buckets: Buckets,
    tables: Mapping[str, biglake.IcebergTable],
    policies: ColumnPolicies,
    readers: PlatformReaders,
    outcomes: Outcomes,
) -> dict[str, Output[str]]:
    """Add columns and policies to each table of the catalog. Returns the table's name for its IAM members,
    by the table's path: it is known once the policies are in force."""
    names: dict[str, Output[str]] = {}
    for table in context.catalog_tables:
        resource = tables[table.path]
        row_policies = rows(context.settings, table, readers.get(table.path, ()))
        members = [member for policy in row_policies for member in policy.principals]
        script = Output.all(resource.schema.apply(_iceberg_columns), *members).apply(
            lambda known, table=table, row_policies=row_policies: ";\n".join(
                [
                    *_column_statements(context, context.four_part_name(table), table, policies, known[0]),
                    *_row_statements(context, table, row_policies, known[1:]),
                ]
            )
        )
        depends_on = [resource, *policies.of_table(table)]
        # Its location has a random ending, so it differs when the table is created again.
        names[table.path] = _run(
            context, buckets, table, resource.name, script, resource.location, depends_on, outcomes
        )
    return names


def apply_stream_policies(
    context: Context,
    buckets: Buckets,
    tables: Mapping[str, bigquery.Table],
    policies: ColumnPolicies,
    outcomes: Outcomes,
) -> dict[str, Output[str]]:
    """Do the same for tables that BigQuery writes, which have no policies of rows."""
    names: dict[str, Output[str]] = {}
    for table in context.stream_tables:
        resource = tables[table.path]
        quoted = f"`{context.project}.{context.streams_dataset}.{table.name}`"
        script = resource.schema.apply(
            lambda schema, table=table, quoted=quoted: ";\n".join(
                _column_statements(context, quoted, table, policies, _bigquery_columns(schema))
            )
        )
        depends_on = [resource, *policies.of_table(table)]
        names[table.path] = _run(
            context, buckets, table, resource.table_id, script, resource.creation_time, depends_on, outcomes
        )
    return names


def _iceberg_columns(schema: Any) -> list[str]:
    """Return the columns of a table, those that clients added included."""
    fields: list[Any] = list((schema.fields if schema is not None else None) or ())
    return [str(field.name) for field in fields]


def _bigquery_columns(schema: str | None) -> list[str]:
    fields: list[dict[str, Any]] = json.loads(schema or "[]") or []
    return [str(field["name"]) for field in fields]


def _run(
    context: Context,
    buckets: Buckets,
    table: LakehouseTableSettings,
    name: Output[str],
    script: Output[str],
    incarnation: Output[Any],
    depends_on: Sequence[pulumi.Resource],
    outcomes: Outcomes,
) -> Output[str]:
    """Run a table's statements as a job; returns the table's name once the job is done. incarnation: a value
    that differs when the table is created again under the same name."""
    # Everything whose change replaces the job, so that it has another id then.
    labels = Output.from_input(context.labels or {})
    content = Output.all(script, incarnation, labels).apply(lambda parts: _content(*parts))
    statements = storage.BucketObject(
        f"{context.name}-{table.zone}-{table.name}-statements",
        # Not in raw: under a legal hold no object can be overwritten.
        bucket=buckets["curated"].name,
        name=f"{_PLATFORM}/policies/{table.path}.sql",
        content=content,
        content_type="application/sql",
        # Names of objects are unique in a bucket: deleting the old one afterwards would delete the new one.
        opts=context.options(delete_before_replace=True),
    )
    job = bigquery.Job(
        f"{context.name}-{table.zone}-{table.name}-shape",
        project=context.project,
        location=context.region,
        job_id=Output.all(content, statements.generation).apply(
            lambda parts: _job_id(context, table, *parts)
        ),
        labels=context.labels,
        query=bigquery.JobQueryArgs(
            query=script,
            use_legacy_sql=False,
            # The statements neither create nor fill a table.
            create_disposition="",
            write_disposition="",
        ),
        # Members that the old policies protect are deleted before other statements run.
        opts=context.options(*depends_on, delete_before_replace=True),
    )
    return outcomes.once_done(table.path, name, job, statements, script)


def _content(script: Any, incarnation: Any, labels: Any) -> str:
    table = json.dumps(str(incarnation))
    return f"-- Table: {table}\n-- Labels: {json.dumps(labels, sort_keys=True)}\n{script}\n"


def _job_id(context: Context, table: LakehouseTableSettings, content: str, generation: int) -> str:
    """Return a job's id, which BigQuery accepts once: Cloud Storage assigns a new generation to each
    write."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return f"{context.settings.prefix}-{table.zone}-{table.name}-{digest}-{int(generation)}"


def _column_statements(
    context: Context,
    name: str,
    table: LakehouseTableSettings,
    policies: ColumnPolicies,
    present: Iterable[str],
) -> list[str]:
    """Add new columns with their policies; then set the policies of all columns, those included that a client
    added. Two statements, however many columns: BigQuery allows five changes of a table in ten seconds
    ("Quotas and limits"). present: the columns that the table has."""
    added = [
        f"ADD COLUMN IF NOT EXISTS `{column.name}` {bigquery_types.sql_type(column.field.type)}"
        + (_options(context, table, column.name, policies) if column.classification in PROTECTED else "")
        for column in table.columns
    ]
    names = [column.name for column in table.columns]
    # Also of public columns: one that became public still has its former policies.
    governed = [
        f"ALTER COLUMN `{column}` SET{_options(context, table, column, policies)}"
        for column in [*names, *sorted(set(present) - set(names))]
    ]
    return [f"ALTER TABLE {name}\n  " + ",\n  ".join(actions) for actions in (added, governed)]


def _options(context: Context, table: LakehouseTableSettings, column: str, policies: ColumnPolicies) -> str:
    names = [
        f"{{'name':'{context.project}.region-{context.region}.{_policy_id(context, policy)}'}}"
        for policy in policies.of_column(table, column)
    ]
    return f" OPTIONS (data_policies = [{', '.join(json.dumps(name) for name in names)}])"


def _row_statements(
    context: Context, table: LakehouseTableSettings, policies: Sequence[Rows], members: Sequence[Any]
) -> list[str]:
    """The policy of all rows first: a table without policies shows all rows to every principal that can read
    it. members: those of all policies, in their order."""
    known = iter([str(member) for member in members])
    statements: list[str] = []
    for policy in policies:
        grantees = sorted({next(known) for _ in policy.principals})
        on = f"ROW ACCESS POLICY {{}}`{policy.name}` ON {context.four_part_name(table)}"
        if not grantees:
            statements.append(f"DROP {on.format('IF EXISTS ')}")
            continue
        quoted = ", ".join(json.dumps(member) for member in grantees)
        statements.append(
            f"CREATE OR REPLACE {on.format('')}\n  GRANT TO ({quoted}) FILTER USING ({policy.condition})"
        )
    return statements
