"""Grants of teams and of the platform's own principals, as roles of IAM.

No principal has a role on files of tables: the catalog issues credentials for them to principals that see all
of a table, and BigQuery reads them for all others. Every grant is a role on single tables, also a grant by
zones, and is created when the table's policies are in force: so no grant reads a table that is new, or whose
policies failed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import biglake, bigquery, projects, serviceaccount

from aiplatform._shared.args import is_unknown
from aiplatform._shared.principals import Member, member_key, members, renamed
from aiplatform.lakehouse.gcp.access import TableAccess, table_access
from aiplatform.lakehouse.gcp.catalog import Catalog
from aiplatform.lakehouse.gcp.context import Context, ServiceAgents, same, unique
from aiplatform.lakehouse.gcp.outcomes import Outcomes
from aiplatform.lakehouse.gcp.query import Datasets
from aiplatform.lakehouse.gcp.streams import StreamTables
from aiplatform.lakehouse.tables import LakehouseTableSettings

READER: Final = "roles/biglake.viewer"
ASK: Final = (
    "biglake.catalogs.get",
    "biglake.namespaces.get",
    "biglake.namespaces.list",
    "bigquery.jobs.create",
    "bigquery.readsessions.create",
    "bigquery.readsessions.getData",
    "bigquery.readsessions.update",
    "serviceusage.services.use",
)
"""What a client needs apart from tables: to read the catalog and the names of its namespaces, to run a query,
and to charge it to the project."""
_WRITE: Final = (
    "biglake.catalogs.get",
    "biglake.namespaces.get",
    "biglake.namespaces.list",
    "biglake.tables.get",
    "biglake.tables.getData",
    "biglake.tables.list",
    "biglake.tables.update",
    "biglake.tables.updateData",
)
"""To change a table, but not to create or drop one: tables are declared. Google's roles/biglake.editor allows
both."""
_READ_ROWS: Final = ("bigquery.tables.get", "bigquery.tables.getData")
"""To read a table that BigQuery writes. Google's roles/bigquery.dataViewer allows to copy and export it
too."""
_WRITE_ROWS: Final = (*_READ_ROWS, "bigquery.tables.updateData")
"""To append and delete its rows. Google's roles/bigquery.dataEditor allows to change its columns and drop it
too."""


@dataclass(frozen=True)
class Targets:
    """What roles are granted on."""

    catalog: Catalog
    datasets: Datasets
    """The zones', for tables that writers create there."""
    stream_tables: StreamTables
    """The tables of streams by their paths."""
    names: Mapping[str, Output[str]]
    """The name of each table by its path, known once its policies are in force."""
    outcomes: Outcomes
    """Where each member is registered that waits for such a name."""


class Roles:
    """The project's custom roles: to query, to write, and to read or write tables that BigQuery writes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.ask = self._role("client", "asks", ASK)
        self.write = self._role("writer", "changes tables", _WRITE)
        streams = bool(context.stream_tables)
        reads = streams or any(grant.billing for grant in context.settings.grants)
        self.read_rows = self._role("row-reader", "reads tables of streams", _READ_ROWS) if reads else None
        self.write_rows = (
            self._role("row-writer", "changes rows of tables of streams", _WRITE_ROWS) if streams else None
        )

    def _role(self, purpose: str, does: str, permissions: Sequence[str]) -> projects.IAMCustomRole:
        return custom_role(self._context, purpose, f"Who {does} in", permissions)


def custom_role(
    context: Context, purpose: str, does: str, permissions: Sequence[str]
) -> projects.IAMCustomRole:
    """Create a role of the project with these permissions. does: the start of its description, which ends
    with the lakehouse."""
    words = [*context.settings.prefix.split("-"), "lakehouse", *purpose.split("-")]
    return projects.IAMCustomRole(
        f"{context.name}-{purpose}",
        project=context.project,
        role_id="_".join(words),
        title=f"{context.settings.prefix} lakehouse {purpose.replace('-', ' ')}",
        description=f"{does} {context.settings.prefix}'s lakehouse",
        permissions=list(permissions),
        opts=context.options(context.apis["iam"], delete_before_replace=True),
    )


def create_grants(context: Context, targets: Targets) -> Roles:
    """Create the roles, and grant them to writers and to the principals of grants."""
    roles = Roles(context)
    for index, principal in enumerate(
        unique([*context.settings.writers, *(grant.principal for grant in context.settings.grants)])
    ):
        former = _former_key(context, principal, f"writer-{index}")
        _grant_ask(context, roles, Member(principal, member_key(principal, former), former))
    for writer in members(context.settings.writers):
        member = Member(writer.principal, f"writer-{writer.key}", f"writer-{writer.former}")
        _grant_write(context, targets, roles, member)
    for table in context.settings.tables:
        for access in table_access(context.settings, table):
            if table.path in targets.stream_tables:
                _grant_stream_table(context, targets, roles, table, access)
            else:
                _grant_table(context, targets, roles, table, access)
    return roles


def _grant_ask(context: Context, roles: Roles, member: Member) -> None:
    name = f"{context.name}-asks-{member.key}"
    projects.IAMMember(
        name,
        project=context.project,
        role=roles.ask.name,
        member=member.principal,
        opts=context.options(
            context.apis["cloudresourcemanager"],
            former_names=renamed(name, f"{context.name}-asks-{member.former}"),
        ),
    )


def _former_key(context: Context, principal: Input[str], default: str) -> str:
    """Return what a principal was in former logical names of members that query."""
    if is_unknown(principal):
        return next(
            (f"grant-{grant.name}" for grant in context.settings.grants if grant.principal is principal),
            default,
        )
    return str(principal).partition(":")[2].partition(".gserviceaccount.com")[0]


def _grant_write(context: Context, targets: Targets, roles: Roles, writer: Member) -> None:
    """Allow a writer to change every table of the catalog, to read and change the rows of tables of streams,
    and to create BigQuery's native tables in the zones' datasets, which only writers and those that apply the
    program read."""
    name = f"{context.name}-{writer.key}"
    biglake.IcebergCatalogIamMember(
        name,
        project=context.project,
        name=targets.catalog.catalog.name,
        role=roles.write.name,
        member=writer.principal,
        opts=context.options(former_names=renamed(name, f"{context.name}-{writer.former}")),
    )
    for path, table in targets.stream_tables.items():
        if roles.write_rows is not None:
            # A writer sees every column: it does not wait for policies.
            former = f"{context.name}-{writer.former}-{path}"
            _row_member(
                context,
                _binding_name(context, writer.principal, path, "write", former),
                table,
                table.table_id,
                roles.write_rows,
                writer.principal,
                former,
            )
    for zone, dataset in targets.datasets.items():
        name = f"{context.name}-{writer.key}-{zone}"
        bigquery.DatasetIamMember(
            name,
            project=context.project,
            dataset_id=dataset.dataset_id,
            role="roles/bigquery.dataEditor",
            member=writer.principal,
            opts=context.options(former_names=renamed(name, f"{context.name}-{writer.former}-{zone}")),
        )


def _binding_name(context: Context, principal: Input[str], path: str, purpose: str, default: str) -> str:
    """Return the logical name of a principal's role on a table: the same for a grant and for a writer, as it
    is one binding. default: where only the engine knows the principal."""
    key = member_key(principal, "")
    return f"{context.name}-{key}-{path}-{purpose}" if key else default


def _grant_names(
    context: Context, table: LakehouseTableSettings, access: TableAccess, purpose: str
) -> tuple[str, str]:
    """Return the logical name of a grant's role on a table, and the former one."""
    former = f"{context.name}-grant-{access.grant}-{table.path}-{purpose}"
    return _binding_name(context, access.principal, table.path, purpose, former), former


def _grant_table(
    context: Context, targets: Targets, roles: Roles, table: LakehouseTableSettings, access: TableAccess
) -> None:
    purposes: list[tuple[str, Input[str]]] = []
    if access.reads:
        purposes.append(("read", READER))
    if access.writes:
        purposes.append(("write", roles.write.name))
    for purpose, role in purposes:
        name, former = _grant_names(context, table, access, purpose)
        _table_member(context, name, targets, table, role, access.principal, former)


def _table_member(
    context: Context,
    name: str,
    targets: Targets,
    table: LakehouseTableSettings,
    role: Input[str],
    member: Input[str],
    former: str | None = None,
) -> biglake.IcebergTableIamMember:
    binding = biglake.IcebergTableIamMember(
        name,
        project=context.project,
        catalog=targets.catalog.catalog.name,
        namespace=targets.catalog.namespaces[table.zone].namespace_id,
        name=targets.names[table.path],
        role=role,
        member=member,
        opts=context.options(former_names=renamed(name, former)),
    )
    targets.outcomes.add_member(table.path, binding)
    return binding


def _grant_stream_table(
    context: Context, targets: Targets, roles: Roles, table: LakehouseTableSettings, access: TableAccess
) -> None:
    if any(same(access.principal, writer) for writer in context.settings.writers):
        # It reads and writes already. The same binding twice is one in IAM, and deleting either deletes it.
        return
    role = roles.write_rows if access.writes else roles.read_rows if access.reads else None
    if role is not None:
        name, former = _grant_names(context, table, access, "write" if access.writes else "read")
        _stream_member(context, name, targets, table, role, access.principal, former)


def _stream_member(
    context: Context,
    name: str,
    targets: Targets,
    table: LakehouseTableSettings,
    role: projects.IAMCustomRole,
    member: Input[str],
    former: str | None = None,
) -> bigquery.IamMember:
    binding = _row_member(
        context, name, targets.stream_tables[table.path], targets.names[table.path], role, member, former
    )
    targets.outcomes.add_member(table.path, binding)
    return binding


def _row_member(
    context: Context,
    name: str,
    table: bigquery.Table,
    table_id: Output[str],
    role: projects.IAMCustomRole,
    member: Input[str],
    former: str | None = None,
) -> bigquery.IamMember:
    return bigquery.IamMember(
        name,
        project=context.project,
        dataset_id=table.dataset_id,
        table_id=table_id,
        role=role.name,
        member=member,
        opts=context.options(former_names=renamed(name, former)),
    )


def grant_scanner(
    context: Context, targets: Targets, roles: Roles, agents: ServiceAgents
) -> dict[str, pulumi.Resource]:
    """Allow Dataplex' agent to read the tables with quality rules, and to run its queries ("Use auto data
    quality": the agent needs both). Returns the role on each table, by its path."""
    scanner = agents.dataplex
    if scanner is None:
        return {}
    _grant_ask(context, roles, Member(scanner, "scanner", "scanner"))
    bindings: dict[str, pulumi.Resource] = {}
    for table in context.settings.tables:
        if table.quality is None:
            continue
        name = f"{context.name}-scans-{table.path}"
        if roles.read_rows is not None and table.path in targets.stream_tables:
            binding = _stream_member(context, name, targets, table, roles.read_rows, scanner)
        else:
            binding = _table_member(context, name, targets, table, READER, scanner)
        bindings[table.path] = binding
    return bindings


def grant_batches(
    context: Context, targets: Targets, roles: Roles, account: serviceaccount.Account | None
) -> None:
    """Allow batches to write. account: theirs, None without batches."""
    if account is not None:
        member = Member(account.member, "batch", "batch")
        _grant_write(context, targets, roles, member)
        _grant_ask(context, roles, member)
