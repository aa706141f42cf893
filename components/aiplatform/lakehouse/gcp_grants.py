"""The grants of teams and of the platform's own principals, by IAM.

No principal has a role on a bucket's tables: the catalog hands out credentials for them to those that see all
of a table, and BigQuery reads them for all others. Every grant is a role on single tables, also a grant by
zones, and is made when the table's policies are in force: so a table that is new, or whose policies failed,
is read by no grant.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pulumi import Input, Output
from pulumi_gcp import biglake, bigquery, projects, serviceaccount

from aiplatform._args import is_unknown
from aiplatform.lakehouse.gcp_access import Reach, reach
from aiplatform.lakehouse.gcp_catalog import Catalog
from aiplatform.lakehouse.gcp_context import Context, once
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


def grants(
    context: Context,
    catalog: Catalog,
    names: Mapping[str, Output[str]],
    datasets: Mapping[Zone, bigquery.Dataset],
) -> Roles:
    """All of them. names: of tables, known once their policies are in force."""
    roles = Roles(context)
    for index, principal in enumerate(
        once([*context.settings.writers, *(grant.principal for grant in context.settings.grants)])
    ):
        _asks(context, roles, _who(context, principal, f"writer-{index}"), principal)
    for index, writer in enumerate(context.settings.writers):
        _writes(context, catalog, roles, datasets, f"writer-{index}", writer)
    for table in context.settings.tables:
        for one in reach(context.settings, table):
            name = f"{context.name}-grant-{one.grant}-{table.path}"
            if table in context.streamed:
                _on_stream(context, name, roles, datasets[table.zone], names[table.path], one)
            else:
                _on_table(context, name, catalog, roles, table, names[table.path], one)
    return roles


def _asks(context: Context, roles: Roles, who: str, member: Input[str]) -> None:
    projects.IAMMember(
        f"{context.name}-asks-{who}",
        project=context.project,
        role=roles.ask.name,
        member=member,
        opts=context.options(context.apis["cloudresourcemanager"]),
    )


def _who(context: Context, principal: Input[str], otherwise: str) -> str:
    """A principal in logical names."""
    if is_unknown(principal):
        return next(
            (f"grant-{grant.name}" for grant in context.settings.grants if grant.principal is principal),
            otherwise,
        )
    return str(principal).partition(":")[2].partition(".gserviceaccount.com")[0]


def _writes(
    context: Context,
    catalog: Catalog,
    roles: Roles,
    datasets: Mapping[Zone, bigquery.Dataset],
    purpose: str,
    member: Input[str],
) -> None:
    """Let a writer change every table of the catalog, and make tables of BigQuery's own in the zones'
    datasets, where only writers and those that apply the program read them."""
    biglake.IcebergCatalogIamMember(
        f"{context.name}-{purpose}",
        project=context.project,
        name=catalog.catalog.name,
        role=roles.write.name,
        member=member,
        opts=context.options(),
    )
    for zone, dataset in datasets.items():
        bigquery.DatasetIamMember(
            f"{context.name}-{purpose}-{zone}",
            project=context.project,
            dataset_id=dataset.dataset_id,
            role="roles/bigquery.dataEditor",
            member=member,
            opts=context.options(),
        )


def _on_table(
    context: Context,
    name: str,
    catalog: Catalog,
    roles: Roles,
    table: TableSettings,
    known: Output[str],
    one: Reach,
) -> None:
    wanted: list[tuple[str, Input[str]]] = []
    if one.reads:
        wanted.append(("read", READER))
    if one.writes:
        wanted.append(("write", roles.write.name))
    for purpose, role in wanted:
        _table_member(context, f"{name}-{purpose}", catalog, table, known, role, one.principal)


def _table_member(
    context: Context,
    name: str,
    catalog: Catalog,
    table: TableSettings,
    known: Output[str],
    role: Input[str],
    member: Input[str],
) -> biglake.IcebergTableIamMember:
    return biglake.IcebergTableIamMember(
        name,
        project=context.project,
        catalog=catalog.catalog.name,
        namespace=catalog.namespaces[table.zone].namespace_id,
        name=known,
        role=role,
        member=member,
        opts=context.options(),
    )


def _on_stream(
    context: Context, name: str, roles: Roles, dataset: bigquery.Dataset, known: Output[str], one: Reach
) -> None:
    role = roles.write_rows if one.writes else roles.read_rows if one.reads else None
    if role is not None:
        purpose = "write" if one.writes else "read"
        _row_member(context, f"{name}-{purpose}", dataset, known, role, one.principal)


def _row_member(
    context: Context,
    name: str,
    dataset: bigquery.Dataset,
    known: Output[str],
    role: projects.IAMCustomRole,
    member: Input[str],
) -> bigquery.IamMember:
    return bigquery.IamMember(
        name,
        project=context.project,
        dataset_id=dataset.dataset_id,
        table_id=known,
        role=role.name,
        member=member,
        opts=context.options(),
    )


def scanned(
    context: Context,
    catalog: Catalog,
    roles: Roles,
    names: Mapping[str, Output[str]],
    datasets: Mapping[Zone, bigquery.Dataset],
    scanner: projects.ServiceIdentity | None,
) -> dict[str, biglake.IcebergTableIamMember | bigquery.IamMember]:
    """Let Dataplex' agent read the tables that have rules, and run its queries ("Use auto data quality": the
    agent needs both); answers what lets it read each."""
    if scanner is None:
        return {}
    _asks(context, roles, "scanner", scanner.member)
    made: dict[str, biglake.IcebergTableIamMember | bigquery.IamMember] = {}
    for table in context.settings.tables:
        if table.quality is None:
            continue
        name, known = f"{context.name}-scans-{table.path}", names[table.path]
        if roles.read_rows is not None and table in context.streamed:
            dataset = datasets[table.zone]
            made[table.path] = _row_member(context, name, dataset, known, roles.read_rows, scanner.member)
        else:
            made[table.path] = _table_member(context, name, catalog, table, known, READER, scanner.member)
    return made


def batch(
    context: Context,
    catalog: Catalog,
    roles: Roles,
    datasets: Mapping[Zone, bigquery.Dataset],
    works_as: serviceaccount.Account | None,
) -> None:
    """Let batches write."""
    if works_as is not None:
        _writes(context, catalog, roles, datasets, "batch", works_as.member)
        _asks(context, roles, "batch", works_as.member)
