"""The grants of teams and of the platform's own principals, by IAM.

No principal has a role on a bucket's tables: the catalog hands out credentials for them to those that see all
of a table, and BigQuery reads them for all others. Every grant is a role on single tables, also a grant by
zones, and is made when the table's policies are in force: so a table that is new, or whose policies failed,
is read by no grant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import Input, Output
from pulumi_gcp import biglake, bigquery, projects, serviceaccount

from aiplatform._shared.args import is_unknown
from aiplatform._shared.principals import Member, member_key, members, renamed
from aiplatform.lakehouse.gcp.access import Reach, reach
from aiplatform.lakehouse.gcp.catalog import Catalog
from aiplatform.lakehouse.gcp.context import Context, once, same
from aiplatform.lakehouse.gcp.outcomes import Outcomes
from aiplatform.lakehouse.tables import TableSettings, Zone

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
"""What a client needs before any table: to find the catalog and the names of its namespaces, to run a query,
to have it counted for the project."""
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
"""To change a table, and not to make or drop one: they are declared. Google's roles/biglake.editor does
both."""
_READ_ROWS: Final = ("bigquery.tables.get", "bigquery.tables.getData")
"""To read a table that BigQuery writes. Google's roles/bigquery.dataViewer copies and exports it too."""
_WRITE_ROWS: Final = (*_READ_ROWS, "bigquery.tables.updateData")
"""To append and delete its rows. Google's roles/bigquery.dataEditor changes its columns and drops it too."""


@dataclass(frozen=True)
class Targets:
    """What principals get roles on."""

    catalog: Catalog
    datasets: Mapping[Zone, bigquery.Dataset]
    """Of the zones: for tables that writers make there."""
    streamed: Mapping[str, bigquery.Table]
    """The tables of streams by their path."""
    names: Mapping[str, Output[str]]
    """The name of each table by its path, known once its policies are in force."""
    outcomes: Outcomes
    """Where a member is noted that waits for such a name."""


class Roles:
    """The project's roles for those that ask, write, and read or write tables of BigQuery's own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.ask = self._role("client", "asks", ASK)
        self.write = self._role("writer", "changes tables", _WRITE)
        streamed = bool(context.streamed)
        self.read_rows = self._role("row-reader", "reads tables of streams", _READ_ROWS) if streamed else None
        self.write_rows = (
            self._role("row-writer", "changes rows of tables of streams", _WRITE_ROWS) if streamed else None
        )

    def _role(self, purpose: str, does: str, permissions: Sequence[str]) -> projects.IAMCustomRole:
        return custom_role(self._context, purpose, f"Who {does} in", permissions)


def custom_role(
    context: Context, purpose: str, does: str, permissions: Sequence[str]
) -> projects.IAMCustomRole:
    """A role of the project with these permissions and no others. does: the start of a sentence that the
    lakehouse ends."""
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


def grants(context: Context, targets: Targets) -> Roles:
    """All of them."""
    roles = Roles(context)
    for index, principal in enumerate(
        once([*context.settings.writers, *(grant.principal for grant in context.settings.grants)])
    ):
        former = _formerly(context, principal, f"writer-{index}")
        _asks(context, roles, Member(principal, member_key(principal, former), former))
    for writer in members(context.settings.writers):
        _writes(
            context,
            targets,
            roles,
            Member(writer.principal, f"writer-{writer.key}", f"writer-{writer.former}"),
        )
    for table in context.settings.tables:
        for one in reach(context.settings, table):
            if table.path in targets.streamed:
                _on_stream(context, targets, roles, table, one)
            else:
                _on_table(context, targets, roles, table, one)
    return roles


def _asks(context: Context, roles: Roles, who: Member) -> None:
    name = f"{context.name}-asks-{who.key}"
    projects.IAMMember(
        name,
        project=context.project,
        role=roles.ask.name,
        member=who.principal,
        opts=context.options(
            context.apis["cloudresourcemanager"], formerly=renamed(name, f"{context.name}-asks-{who.former}")
        ),
    )


def _formerly(context: Context, principal: Input[str], otherwise: str) -> str:
    """What a principal was in the logical names of those that ask."""
    if is_unknown(principal):
        return next(
            (f"grant-{grant.name}" for grant in context.settings.grants if grant.principal is principal),
            otherwise,
        )
    return str(principal).partition(":")[2].partition(".gserviceaccount.com")[0]


def _writes(context: Context, targets: Targets, roles: Roles, writer: Member) -> None:
    """Let a writer change every table of the catalog, read and change the rows of tables of streams, and make
    tables of BigQuery's own in the zones' datasets, where only writers and those that apply the program read
    them."""
    name = f"{context.name}-{writer.key}"
    biglake.IcebergCatalogIamMember(
        name,
        project=context.project,
        name=targets.catalog.catalog.name,
        role=roles.write.name,
        member=writer.principal,
        opts=context.options(formerly=renamed(name, f"{context.name}-{writer.former}")),
    )
    for path, table in targets.streamed.items():
        if roles.write_rows is not None:
            # A writer sees every column: it does not wait for policies.
            former = f"{context.name}-{writer.former}-{path}"
            _row_member(
                context,
                _on(context, writer.principal, path, "write", former),
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
            opts=context.options(formerly=renamed(name, f"{context.name}-{writer.former}-{zone}")),
        )


def _on(context: Context, principal: Input[str], path: str, purpose: str, otherwise: str) -> str:
    """The logical name of a principal's role on a table: the same for a grant and for a writer, as it is one
    binding. otherwise: where only the engine knows the principal."""
    key = member_key(principal, "")
    return f"{context.name}-{key}-{path}-{purpose}" if key else otherwise


def _of_grant(context: Context, table: TableSettings, one: Reach, purpose: str) -> tuple[str, str]:
    """The logical name of a grant's role on a table, and the former one."""
    former = f"{context.name}-grant-{one.grant}-{table.path}-{purpose}"
    return _on(context, one.principal, table.path, purpose, former), former


def _on_table(
    context: Context,
    targets: Targets,
    roles: Roles,
    table: TableSettings,
    one: Reach,
) -> None:
    wanted: list[tuple[str, Input[str]]] = []
    if one.reads:
        wanted.append(("read", READER))
    if one.writes:
        wanted.append(("write", roles.write.name))
    for purpose, role in wanted:
        name, former = _of_grant(context, table, one, purpose)
        _table_member(context, name, targets, table, role, one.principal, former)


def _table_member(
    context: Context,
    name: str,
    targets: Targets,
    table: TableSettings,
    role: Input[str],
    member: Input[str],
    former: str | None = None,
) -> biglake.IcebergTableIamMember:
    made = biglake.IcebergTableIamMember(
        name,
        project=context.project,
        catalog=targets.catalog.catalog.name,
        namespace=targets.catalog.namespaces[table.zone].namespace_id,
        name=targets.names[table.path],
        role=role,
        member=member,
        opts=context.options(formerly=renamed(name, former)),
    )
    targets.outcomes.waits(table.path, made)
    return made


def _on_stream(context: Context, targets: Targets, roles: Roles, table: TableSettings, one: Reach) -> None:
    if any(same(one.principal, writer) for writer in context.settings.writers):
        # It reads and writes already. The same binding twice is one in IAM, and deleting either deletes it.
        return
    role = roles.write_rows if one.writes else roles.read_rows if one.reads else None
    if role is not None:
        name, former = _of_grant(context, table, one, "write" if one.writes else "read")
        _stream_member(context, name, targets, table, role, one.principal, former)


def _stream_member(
    context: Context,
    name: str,
    targets: Targets,
    table: TableSettings,
    role: projects.IAMCustomRole,
    member: Input[str],
    former: str | None = None,
) -> bigquery.IamMember:
    made = _row_member(
        context, name, targets.streamed[table.path], targets.names[table.path], role, member, former
    )
    targets.outcomes.waits(table.path, made)
    return made


def _row_member(
    context: Context,
    name: str,
    table: bigquery.Table,
    known: Output[str],
    role: projects.IAMCustomRole,
    member: Input[str],
    former: str | None = None,
) -> bigquery.IamMember:
    return bigquery.IamMember(
        name,
        project=context.project,
        dataset_id=table.dataset_id,
        table_id=known,
        role=role.name,
        member=member,
        opts=context.options(formerly=renamed(name, former)),
    )


def scanned(
    context: Context, targets: Targets, roles: Roles, scanner: projects.ServiceIdentity | None
) -> dict[str, biglake.IcebergTableIamMember | bigquery.IamMember]:
    """Let Dataplex' agent read the tables that have rules, and run its queries ("Use auto data quality": the
    agent needs both); answers what lets it read each."""
    if scanner is None:
        return {}
    _asks(context, roles, Member(scanner.member, "scanner", "scanner"))
    made: dict[str, biglake.IcebergTableIamMember | bigquery.IamMember] = {}
    for table in context.settings.tables:
        if table.quality is None:
            continue
        name = f"{context.name}-scans-{table.path}"
        if roles.read_rows is not None and table.path in targets.streamed:
            made[table.path] = _stream_member(context, name, targets, table, roles.read_rows, scanner.member)
        else:
            made[table.path] = _table_member(context, name, targets, table, READER, scanner.member)
    return made


def batch(context: Context, targets: Targets, roles: Roles, works_as: serviceaccount.Account | None) -> None:
    """Let batches write."""
    if works_as is not None:
        account = Member(works_as.member, "batch", "batch")
        _writes(context, targets, roles, account)
        _asks(context, roles, account)
