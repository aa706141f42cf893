"""Which principals see what of a table on Google Cloud: grants and writers, combined into data policies of
columns, row access policies and IAM roles of the table.

A `public` column is visible to every principal that can read its table. Any other column has a data policy
for the principals that see it and one for those that read the table without seeing it: these get null. All
other principals are refused the column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pulumi import Input
from pulumi_gcp import serviceaccount

from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.gcp.context import Context, ServiceAgents, same, unique, without
from aiplatform.lakehouse.gcp.rules import ROW_CONDITIONS
from aiplatform.lakehouse.grants import LakehouseGrantSettings
from aiplatform.lakehouse.tables import Classification, LakehouseTableSettings

PROTECTED: Final[tuple[Classification, ...]] = ("internal", "pii")
Kind = Literal["raw", "masked"]
Principals = list[Input[str]]
PlatformReaders = Mapping[str, Sequence[Input[str]]]
"""A table's path -> the platform's own principals that see all of it, as writers do."""


def platform_readers(
    context: Context, agents: ServiceAgents, batch_account: serviceaccount.Account | None
) -> PlatformReaders:
    """Return administrators and the account of batches for each table, and Dataplex' agent for tables with
    quality rules: it runs the scans of every principal that may create one, and so sees no other table."""
    common: list[Input[str]] = [*context.administrators]
    if batch_account is not None:
        common.append(batch_account.member)
    scanner = agents.dataplex
    return {
        table.path: [*common, scanner] if scanner is not None and table.quality is not None else common
        for table in context.settings.tables
    }


@dataclass(frozen=True)
class Policy:
    """A data policy of one table: for its columns of one classification."""

    path: str
    classification: Classification
    kind: Kind
    principals: Principals

    @property
    def name(self) -> str:
        """Its name after the prefix: words of letters and digits, joined by `_`."""
        ending = "_masked" if self.kind == "masked" else ""
        return f"{self.path.replace('.', '_')}_{self.classification}{ending}"


def grants_on(settings: LakehouseSettings, table: LakehouseTableSettings) -> list[LakehouseGrantSettings]:
    """Return the grants on a table, by its zone or by its path."""
    return [grant for grant in settings.grants if table.zone in grant.zones or table.path in grant.tables]


def column_policies(settings: LakehouseSettings, readers: PlatformReaders) -> list[Policy]:
    """Return the data policies of all tables: always the same four of a table, regardless of grants.

    So no policy is dropped while its table exists. A policy that stays in the cloud when it leaves the
    program (`retain_data`) would conflict with itself when a later grant needs it again.
    """
    policies: list[Policy] = []
    for table in settings.tables:
        grants = grants_on(settings, table)
        for classification in PROTECTED:
            granted = [grant.principal for grant in grants if classification in grant.classifications]
            raw = unique([*settings.writers, *readers.get(table.path, ()), *granted])
            masked = without([grant.principal for grant in grants], raw)
            policies.append(Policy(table.path, classification, "raw", raw))
            policies.append(Policy(table.path, classification, "masked", masked))
    return policies


def policies_of_column(
    policies: Sequence[Policy], table: LakehouseTableSettings, column: str
) -> list[Policy]:
    """Return the policies of a column. A column that is not declared (a client added it) has its table's
    highest classification. Values of columns that files are laid out by cannot be masked: there, principals
    that do not see them are refused (BigQuery, "Mask data by applying data policies to a column")."""
    declared = {declared.name: declared.classification for declared in table.columns}
    classification = declared.get(column, table.classification)
    laid_out = column in {part.column for part in (*table.partitions, *table.sort_order)}
    return [
        policy
        for policy in policies
        if policy.path == table.path
        and policy.classification == classification
        and not (laid_out and policy.kind == "masked")
    ]


@dataclass(frozen=True)
class Rows:
    """A row access policy: its name, which rows, and for which principals. Without principals it must not
    exist."""

    name: str
    condition: str
    principals: Principals


def rows(
    settings: LakehouseSettings, table: LakehouseTableSettings, readers: Sequence[Input[str]] = ()
) -> list[Rows]:
    """Return the policy of all rows, then the policies of conditions.

    A table with a row access policy shows no row to principals that none names: so the first is of all rows,
    for those whose grants state no condition. BigQuery keeps every policy until it is dropped by name, and
    nothing lists the policies of these tables: so there is a fixed number of names, one a condition, and the
    unused ones are dropped each time.
    """
    grants = grants_on(settings, table)
    unfiltered = [grant.principal for grant in grants if grant.rows is None]
    all_rows = Rows("all_rows", "TRUE", unique([*settings.writers, *readers, *unfiltered]))
    conditions: dict[str, Principals] = {}
    for grant in grants:
        if grant.rows is not None:
            conditions.setdefault(grant.rows, []).append(grant.principal)
    used = [(condition, unique(principals)) for condition, principals in conditions.items()]
    unused: list[tuple[str, Principals]] = [("", []) for _ in range(ROW_CONDITIONS - len(used))]
    conditional = [
        Rows(f"rows_{number:02}", condition, principals)
        for number, (condition, principals) in enumerate([*used, *unused], 1)
    ]
    return [all_rows, *conditional]


@dataclass(frozen=True)
class TableAccess:
    """What one principal may do with one table, by all grants on it."""

    principal: Input[str]
    grant: str
    """The first of these grants."""
    reads: bool
    writes: bool


def table_access(settings: LakehouseSettings, table: LakehouseTableSettings) -> list[TableAccess]:
    """Return the principals of grants on a table, each once: two equal bindings would be one in IAM, and
    deleting either would delete it. A grant by zones writes the tables of which it has every column, as a row
    has all of them."""
    accesses: list[TableAccess] = []
    for grant in grants_on(settings, table):
        all_columns = len(table.columns_of(grant.classifications)) == len(table.columns)
        reads = "read" in grant.actions
        writes = "write" in grant.actions and (table.path in grant.tables or all_columns)
        earlier = next((access for access in accesses if same(access.principal, grant.principal)), None)
        if earlier is not None:
            accesses.remove(earlier)
            reads, writes = reads or earlier.reads, writes or earlier.writes
        name = earlier.grant if earlier is not None else grant.name
        accesses.append(TableAccess(grant.principal, name, reads, writes))
    return accesses
