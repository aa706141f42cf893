"""Policies of columns, and the statements that give a table its columns and policies.

Policies of tables of the Iceberg catalog are attached by SQL alone, in four-part names ("Row-level and
column-level security"): BigQuery runs the statements as a job, again whenever they change. Each says how
things are to be and can be repeated.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import biglake, bigquery

from aiplatform.lakehouse import bigquery_types
from aiplatform.lakehouse.gcp_access import PROTECTED, Policy, Rows, on_column, policies, rows
from aiplatform.lakehouse.gcp_context import Context, grantees
from aiplatform.lakehouse.tables import ColumnSettings, TableSettings

_ALL_ROWS: Final = "all_rows"

Policies = dict[str, bigquery.Datapolicyv2DataPolicy]
"""A policy's name after the prefix -> the policy."""


def column_policies(context: Context, inside: Sequence[Input[str]]) -> tuple[list[Policy], Policies]:
    """The policies of columns. inside: the platform's own readers."""
    declared = policies(context.settings, inside)
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
            grantees=grantees(policy.principals),
            # A policy cannot go while a column has it.
            opts=context.options(context.apis["bigquerydatapolicy"], retain=True, delete_before_replace=True),
        )
        for policy in declared
    }


def _id(context: Context, policy: Policy) -> str:
    return f"{context.settings.prefix.replace('-', '_')}_{policy.name}"


def of_table(declared: Sequence[Policy], made: Policies, table: TableSettings) -> list[pulumi.Resource]:
    """The policies that columns of a table have: a policy goes after the last column that has it."""
    names = {policy.name for column in table.columns for policy in on_column(declared, table, column.name)}
    return [made[name] for name in sorted(names)]


def shape(
    context: Context,
    tables: Mapping[str, biglake.IcebergTable],
    declared: Sequence[Policy],
    made: Policies,
    inside: Sequence[Input[str]],
) -> dict[str, Output[str]]:
    """Give each table of the catalog the columns and policies that are declared. Answers its name for those
    that may reach it only then."""
    names: dict[str, Output[str]] = {}
    for table in context.catalogued:
        one = tables[table.path]
        shown = rows(context.settings, table, inside)
        members = [member for each in shown for member in each.principals]
        columns = _column_statements(context, context.four_parts(table), table, declared)
        script = Output.all(*members).apply(
            lambda known, table=table, shown=shown, columns=columns: ";\n".join(
                [*columns, *_row_statements(context, table, shown, known)]
            )
        )
        needed = [one, *of_table(declared, made, table)]
        # Its location has an ending of its own, also when it is made anew.
        statuses = _run(context, table, script, one.location, needed)
        names[table.path] = _once_done(table, one.name, statuses)
    return names


def shape_streamed(
    context: Context, tables: Mapping[str, bigquery.Table], declared: Sequence[Policy], made: Policies
) -> dict[str, Output[str]]:
    """The same for tables that BigQuery writes; it knows no policies of their rows."""
    names: dict[str, Output[str]] = {}
    for table in context.streamed:
        one = tables[table.path]
        quoted = f"`{context.project}.{context.database(table.zone)}.{table.name}`"
        script = Output.from_input(";\n".join(_column_statements(context, quoted, table, declared)))
        needed = [one, *of_table(declared, made, table)]
        statuses = _run(context, table, script, one.creation_time, needed)
        names[table.path] = _once_done(table, one.table_id, statuses)
    return names


def _run(
    context: Context,
    table: TableSettings,
    script: Output[str],
    born: Output[Any],
    needed: Sequence[pulumi.Resource],
) -> Output[Any]:
    """Run a table's statements as a job; answers its states. born: what another table of the name has not."""
    job = bigquery.Job(
        f"{context.name}-{table.zone}-{table.name}-shape",
        project=context.project,
        location=context.region,
        # A job's id serves once in a project: it goes with the statements and with the table.
        job_id=Output.all(script, born).apply(lambda parts: _job(context, table, parts)),
        labels=context.labels,
        query=bigquery.JobQueryArgs(
            query=script,
            use_legacy_sql=False,
            # What neither makes nor fills a table says so.
            create_disposition="",
            write_disposition="",
        ),
        opts=context.options(*needed),
    )
    return job.statuses


def _once_done(table: TableSettings, name: Output[str], statuses: Output[Any]) -> Output[str]:
    where = f"table {table.path}"
    return Output.all(name, statuses).apply(lambda parts: _done(where, parts[0], parts[1]))


def _job(context: Context, table: TableSettings, parts: Sequence[Any]) -> str:
    digest = hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:16]
    return f"{context.settings.prefix}-{table.zone}-{table.name}-{digest}"


def _done(where: str, name: str, statuses: Sequence[Any] | None) -> str:
    """The name, where the statements did not fail: else nobody is let in."""
    for status in statuses or []:
        faults: Sequence[Mapping[str, Any]] = status.get("error_results") or []
        for fault in faults:
            raise RuntimeError(
                f"{where}: BigQuery could not give it its columns and policies, so nobody is let in: "
                f"{fault.get('message')}"
            )
    return name


def _column_statements(
    context: Context, name: str, table: TableSettings, declared: Sequence[Policy]
) -> list[str]:
    """Columns that are new, with their policies from the beginning; then the policies of all. Two statements,
    however many columns: BigQuery takes five changes of a table in ten seconds ("Quotas and limits")."""
    policies = {
        column.name: f" OPTIONS (data_policies = [{_listed(context, table, column, declared)}])"
        for column in table.columns
    }
    added = [
        f"ADD COLUMN IF NOT EXISTS `{column.name}` {bigquery_types.of(column.field.type)}"
        + (policies[column.name] if column.classification in PROTECTED else "")
        for column in table.columns
    ]
    # Also of columns without any: one that became public has those that it had.
    governed = [f"ALTER COLUMN `{column}` SET{options}" for column, options in policies.items()]
    return [f"ALTER TABLE {name}\n  " + ",\n  ".join(actions) for actions in (added, governed)]


def _listed(
    context: Context, table: TableSettings, column: ColumnSettings, declared: Sequence[Policy]
) -> str:
    names = [
        f"{{'name':'{context.project}.region-{context.region}.{_id(context, policy)}'}}"
        for policy in on_column(declared, table, column.name)
    ]
    return ", ".join(json.dumps(name) for name in names)


def _row_statements(
    context: Context, table: TableSettings, shown: Sequence[Rows], members: Sequence[Any]
) -> list[str]:
    """A policy for those that see all rows, and one a principal for the others: its name tells whose, so that
    a condition that changes takes the place of the old one."""
    whole, *filtered = shown
    known = iter([str(member) for member in members])
    statements = [
        _row_policy(context, table, _ALL_ROWS, sorted(next(known) for _ in whole.principals), whole.condition)
    ]
    conditions: dict[str, list[str]] = {}
    for each in filtered:
        conditions.setdefault(next(known), []).append(each.condition)
    for member, said in conditions.items():
        digest = hashlib.sha256(member.encode()).hexdigest()[:12]
        condition = " OR ".join(f"({one})" for one in said)
        statements.append(_row_policy(context, table, f"rows_{digest}", [member], condition))
    return statements


def _row_policy(
    context: Context, table: TableSettings, name: str, members: Sequence[str], condition: str
) -> str:
    listed = ", ".join(json.dumps(member) for member in members)
    return (
        f"CREATE OR REPLACE ROW ACCESS POLICY `{name}` ON {context.four_parts(table)}\n"
        f"  GRANT TO ({listed}) FILTER USING ({condition})"
    )
