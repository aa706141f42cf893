"""The grants of teams and of the platform's own principals, by IAM.

Nobody has a role on a bucket's tables: the catalog hands out credentials for them to those that see all of a
table, and BigQuery reads them for all others.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pulumi import Input, Output
from pulumi_gcp import biglake, bigquery, projects, serviceaccount

from aiplatform._args import is_unknown
from aiplatform.lakehouse.gcp_catalog import Catalog
from aiplatform.lakehouse.gcp_context import Context, once
from aiplatform.lakehouse.grants import GrantSettings
from aiplatform.lakehouse.tables import TableSettings, Zone

READER: Final = "roles/biglake.viewer"
_ASK: Final = (
    "biglake.catalogs.get",
    "bigquery.jobs.create",
    "bigquery.readsessions.create",
    "bigquery.readsessions.getData",
    "bigquery.readsessions.update",
    "serviceusage.services.use",
)
"""What a client needs before any table: to find the catalog, to run a query, to have it counted for the
project."""
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


class Roles:
    """The project's roles for those that ask and for those that write."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.ask = self._role("client", "asks", _ASK)
        self.write = self._role("writer", "changes tables", _WRITE)

    def _role(self, purpose: str, does: str, permissions: Sequence[str]) -> projects.IAMCustomRole:
        words = self._context.settings.prefix.split("-")
        return projects.IAMCustomRole(
            f"{self._context.name}-{purpose}",
            project=self._context.project,
            role_id="_".join([*words, "lakehouse", purpose]),
            title=f"{self._context.settings.prefix} lakehouse {purpose}",
            description=f"Who {does} in {self._context.settings.prefix}'s lakehouse",
            permissions=list(permissions),
            opts=self._context.options(self._context.apis["iam"], delete_before_replace=True),
        )


def grants(
    context: Context,
    catalog: Catalog,
    names: Mapping[str, Output[str]],
    datasets: Mapping[Zone, bigquery.Dataset],
    streams: Mapping[str, bigquery.Table],
) -> Roles:
    """All of them. names: of tables, for those that may reach them. streams: the tables that BigQuery
    writes."""
    roles = Roles(context)
    for index, principal in enumerate(
        once([*context.settings.writers, *(grant.principal for grant in context.settings.grants)])
    ):
        projects.IAMMember(
            f"{context.name}-asks-{_who(context, index, principal)}",
            project=context.project,
            role=roles.ask.name,
            member=principal,
            opts=context.options(context.apis["cloudresourcemanager"]),
        )
    for index, writer in enumerate(context.settings.writers):
        _writes(context, catalog, roles, datasets, f"writer-{index}", writer)
    declared = {table.path: table for table in context.settings.tables}
    for grant in context.settings.grants:
        for zone in grant.zones:
            _on_zone(context, catalog, names, grant, zone, datasets[zone])
        written = _written(context, grant)
        for path in dict.fromkeys([*grant.tables, *written]):
            if path in streams:
                if path in grant.tables:
                    _on_stream(context, grant, declared[path], streams[path])
            else:
                roles_ = [roles.write.name] if path in written else []
                roles_ += (
                    [Output.from_input(READER)] if path in grant.tables and "read" in grant.actions else []
                )
                _on_table(context, catalog, grant, declared[path], names[path], roles_)
    return roles


def _who(context: Context, index: int, principal: Input[str]) -> str:
    """A principal in logical names."""
    if is_unknown(principal):
        return next(
            (f"grant-{grant.name}" for grant in context.settings.grants if grant.principal is principal),
            f"writer-{index}",
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
    """Let somebody change every table, and make tables of BigQuery's own."""
    biglake.IcebergCatalogIamMember(
        f"{context.name}-{purpose}",
        project=context.project,
        name=catalog.catalog.name,
        role=roles.write.name,
        member=member,
        opts=context.options(),
    )
    for zone, dataset in datasets.items():
        _on_dataset(context, f"{context.name}-{purpose}-{zone}", dataset, "dataEditor", member)


def _on_dataset(
    context: Context, name: str, dataset: bigquery.Dataset, role: str, member: Input[str]
) -> None:
    bigquery.DatasetIamMember(
        name,
        project=context.project,
        dataset_id=dataset.dataset_id,
        role=f"roles/bigquery.{role}",
        member=member,
        opts=context.options(),
    )


def _written(context: Context, grant: GrantSettings) -> list[str]:
    """The tables that a grant lets write: those of which it gives every column, as a row has all of them."""
    if "write" not in grant.actions:
        return []
    return [
        table.path
        for table in context.settings.tables
        if table.path in grant.tables
        or (table.zone in grant.zones and len(table.columns_of(grant.classifications)) == len(table.columns))
    ]


def _on_zone(
    context: Context,
    catalog: Catalog,
    names: Mapping[str, Output[str]],
    grant: GrantSettings,
    zone: Zone,
    dataset: bigquery.Dataset,
) -> None:
    name = f"{context.name}-grant-{grant.name}-{zone}"
    if "read" in grant.actions:
        # Not before the policies of its tables stand.
        there = [names[table.path] for table in context.catalogued if table.zone == zone]
        namespace = Output.all(catalog.namespaces[zone].namespace_id, *there).apply(
            lambda parts: str(parts[0])
        )
        biglake.IcebergNamespaceIamMember(
            name,
            project=context.project,
            catalog=catalog.catalog.name,
            namespace_id=namespace,
            role=READER,
            member=grant.principal,
            opts=context.options(),
        )
    _on_dataset(
        context,
        f"{name}-dataset",
        dataset,
        "dataEditor" if "write" in grant.actions else "dataViewer",
        grant.principal,
    )


def _on_table(
    context: Context,
    catalog: Catalog,
    grant: GrantSettings,
    table: TableSettings,
    name: Output[str],
    roles: Sequence[Output[str]],
) -> None:
    for index, role in enumerate(roles):
        ending = "" if index == 0 else "-read"
        biglake.IcebergTableIamMember(
            f"{context.name}-grant-{grant.name}-{table.path}{ending}",
            project=context.project,
            catalog=catalog.catalog.name,
            namespace=catalog.namespaces[table.zone].namespace_id,
            name=name,
            role=role,
            member=grant.principal,
            opts=context.options(),
        )


def _on_stream(context: Context, grant: GrantSettings, table: TableSettings, made: bigquery.Table) -> None:
    bigquery.IamMember(
        f"{context.name}-grant-{grant.name}-{table.path}",
        project=context.project,
        dataset_id=made.dataset_id,
        table_id=made.table_id,
        role=f"roles/bigquery.{'dataEditor' if 'write' in grant.actions else 'dataViewer'}",
        member=grant.principal,
        opts=context.options(),
    )


def _reads_stream(
    context: Context,
    table: TableSettings,
    dataset: bigquery.Dataset,
    name: Output[str],
    scanner: projects.ServiceIdentity,
) -> None:
    bigquery.IamMember(
        f"{context.name}-scans-{table.path}",
        project=context.project,
        dataset_id=dataset.dataset_id,
        table_id=name,
        role="roles/bigquery.dataViewer",
        member=scanner.member,
        opts=context.options(),
    )


def platform(
    context: Context,
    catalog: Catalog,
    roles: Roles,
    names: Mapping[str, Output[str]],
    datasets: Mapping[Zone, bigquery.Dataset],
    scanner: projects.ServiceIdentity | None,
    works_as: serviceaccount.Account | None,
) -> None:
    """The platform's own principals: who scans tables by their rules reads these, and batches write."""
    if scanner is not None:
        for table in context.settings.tables:
            if table.quality is None:
                continue
            if table in context.streamed:
                _reads_stream(context, table, datasets[table.zone], names[table.path], scanner)
                continue
            biglake.IcebergTableIamMember(
                f"{context.name}-scans-{table.path}",
                project=context.project,
                catalog=catalog.catalog.name,
                namespace=catalog.namespaces[table.zone].namespace_id,
                name=names[table.path],
                role=READER,
                member=scanner.member,
                opts=context.options(),
            )
    if works_as is not None:
        _writes(context, catalog, roles, datasets, "batch", works_as.member)
        projects.IAMMember(
            f"{context.name}-asks-batch",
            project=context.project,
            role=roles.ask.name,
            member=works_as.member,
            opts=context.options(context.apis["cloudresourcemanager"]),
        )
