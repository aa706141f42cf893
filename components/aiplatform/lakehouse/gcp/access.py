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

from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.gcp.context import once, same, without
from aiplatform.lakehouse.gcp.rules import ROW_CONDITIONS
from aiplatform.lakehouse.grants import GrantSettings
from aiplatform.lakehouse.tables import Classification, TableSettings

PROTECTED: Final[tuple[Classification, ...]] = ("internal", "pii")
Kind = Literal["raw", "masked"]
Principals = list[Input[str]]
Inside = Mapping[str, Sequence[Input[str]]]
"""A table's path -> the platform's own principals that see all of it, as writers do."""


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


def reaching(settings: LakehouseSettings, table: TableSettings) -> list[GrantSettings]:
    """The grants that reach a table, by its zone or by its path."""
    return [each for each in settings.grants if table.zone in each.zones or table.path in each.tables]


def policies(settings: LakehouseSettings, inside: Inside) -> list[Policy]:
    """The data policies of all tables: always the same four of a table, whoever is granted what.

    So no policy is dropped while its table exists. A policy that is kept in the cloud when it leaves the
    program (`retain_data`) would meet itself when a later grant needs it again.
    """
    made: list[Policy] = []
    for table in settings.tables:
        grants = reaching(settings, table)
        for classification in PROTECTED:
            see = [each.principal for each in grants if classification in each.classifications]
            raw = once([*settings.writers, *inside.get(table.path, ()), *see])
            masked = without([each.principal for each in grants], raw)
            made.append(Policy(table.path, classification, "raw", raw))
            made.append(Policy(table.path, classification, "masked", masked))
    return made


def on_column(made: Sequence[Policy], table: TableSettings, column: str) -> list[Policy]:
    """The policies of a column. One that is not declared (a client added it) has its table's highest
    classification. Values of columns that files are laid out by cannot be masked: there, principals that do
    not see them are refused (BigQuery, "Mask data by applying data policies to a column")."""
    declared = {each.name: each.classification for each in table.columns}
    classification = declared.get(column, table.classification)
    laid_out = column in {part.column for part in (*table.partitions, *table.sort_order)}
    return [
        policy
        for policy in made
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
    settings: LakehouseSettings, table: TableSettings, inside: Sequence[Input[str]] = ()
) -> tuple[Rows, list[Rows]]:
    """The policy of all rows, and the policies of conditions.

    A table with a row access policy shows no row to principals that none names: so the first is of all rows,
    for those whose grants state no condition. BigQuery keeps every policy until it is dropped by name, and
    nothing lists the policies of these tables: so there is a fixed number of names, one a condition, and the
    unused ones are dropped each time.
    """
    grants = reaching(settings, table)
    unfiltered = [each.principal for each in grants if each.rows is None]
    whole = Rows("all_rows", "TRUE", once([*settings.writers, *inside, *unfiltered]))
    conditions: dict[str, Principals] = {}
    for each in grants:
        if each.rows is not None:
            conditions.setdefault(each.rows, []).append(each.principal)
    used = [(condition, once(principals)) for condition, principals in conditions.items()]
    unused: list[tuple[str, Principals]] = [("", []) for _ in range(ROW_CONDITIONS - len(used))]
    return whole, [
        Rows(f"rows_{number:02}", condition, principals)
        for number, (condition, principals) in enumerate([*used, *unused], 1)
    ]


@dataclass(frozen=True)
class Reach:
    """What one principal may do with one table, by all grants that reach it."""

    principal: Input[str]
    grant: str
    """The first of these grants."""
    reads: bool
    writes: bool


def reach(settings: LakehouseSettings, table: TableSettings) -> list[Reach]:
    """The principals of grants that reach a table, each once: two equal bindings would be one in IAM, and
    deleting either would delete it. A grant by zones writes the tables of which it gives every column, as a
    row has all of them."""
    found: list[Reach] = []
    for grant in reaching(settings, table):
        whole = table.path in grant.tables or len(table.columns_of(grant.classifications)) == len(
            table.columns
        )
        reads, writes = "read" in grant.actions, "write" in grant.actions and whole
        before = next((each for each in found if same(each.principal, grant.principal)), None)
        if before is not None:
            found.remove(before)
            reads, writes = reads or before.reads, writes or before.writes
        name = before.grant if before is not None else grant.name
        found.append(Reach(grant.principal, name, reads, writes))
    return found
