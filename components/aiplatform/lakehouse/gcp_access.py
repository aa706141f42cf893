"""Who sees what of a table on Google Cloud: grants and writers, put together for policies of columns and
rows.

A column that is `public` is seen by whoever reads its table. Any other has a policy for those that see it and
one for those that read the table and do not: these see null. Everybody else is refused the column.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pulumi import Input

from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.gcp_context import once, without
from aiplatform.lakehouse.grants import GrantSettings
from aiplatform.lakehouse.tables import ZONES, Classification, TableSettings, Zone

PROTECTED: Final[tuple[Classification, ...]] = ("internal", "pii")
Kind = Literal["raw", "masked"]
Principals = list[Input[str]]


@dataclass(frozen=True)
class Policy:
    """A policy of columns: of all tables of a zone, or of one table alone."""

    zone: Zone
    table: str | None
    classification: Classification
    kind: Kind
    principals: Principals

    @property
    def name(self) -> str:
        """Its name after the prefix, with words of letters and digits alone between `_`."""
        words = [self.zone, self.table, self.classification, "masked" if self.kind == "masked" else None]
        return "_".join(word for word in words if word is not None)


def policies(settings: LakehouseSettings, inside: Sequence[Input[str]] = ()) -> list[Policy]:
    """All of them. inside: the platform's own readers, who see all as writers do."""
    everything: Principals = [*settings.writers, *inside]
    made = [
        policy
        for zone in ZONES
        for classification in PROTECTED
        for policy in _pair(
            zone, None, classification, [each for each in settings.grants if zone in each.zones], everything
        )
    ]
    for table in settings.tables:
        alone = [each for each in settings.grants if table.path in each.tables]
        if not alone:
            continue
        there = {column.classification for column in table.columns}
        for classification in PROTECTED:
            if classification in there:
                made += _pair(table.zone, table.name, classification, alone, [])
    return made


def _pair(
    zone: Zone,
    table: str | None,
    classification: Classification,
    grants: Sequence[GrantSettings],
    everything: Principals,
) -> Iterator[Policy]:
    see = [each.principal for each in grants if classification in each.classifications]
    raw = once([*everything, *see])
    masked = without([each.principal for each in grants], raw)
    if raw:
        yield Policy(zone, table, classification, "raw", raw)
    if masked:
        yield Policy(zone, table, classification, "masked", masked)


def on_column(made: Sequence[Policy], table: TableSettings, column: str) -> list[Policy]:
    """The policies of a column. Values of columns that files are laid out by cannot be masked, so there those
    that do not see them are refused (BigQuery, "Mask data by applying data policies to a column")."""
    classification = next(each.classification for each in table.columns if each.name == column)
    laid_out = column in {part.column for part in (*table.partitions, *table.sort_order)}
    return [
        policy
        for policy in made
        if policy.zone == table.zone
        and policy.table in (None, table.name)
        and policy.classification == classification
        and not (laid_out and policy.kind == "masked")
    ]


@dataclass(frozen=True)
class Rows:
    """Which rows of a table whom."""

    condition: str
    principals: Principals


def rows(settings: LakehouseSettings, table: TableSettings, inside: Sequence[Input[str]] = ()) -> list[Rows]:
    """Once a table has such a policy, whoever has none sees no row: so the first is of all rows, for those
    whose grants say no condition."""
    grants = [each for each in settings.grants if table.zone in each.zones or table.path in each.tables]
    unfiltered = [each.principal for each in grants if each.rows is None]
    filtered = [each for each in grants if each.rows is not None]
    whole = Rows("TRUE", once([*settings.writers, *inside, *unfiltered]))
    return [whole, *(Rows(each.rows or "", [each.principal]) for each in filtered)]
