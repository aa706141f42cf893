"""Declared tables of the lakehouse, by Iceberg's rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, get_args

from aiplatform._shared.args import Problem, between, got, length, nearest, with_value
from aiplatform.lakehouse import transforms, types
from aiplatform.lakehouse.inputs import LakehouseColumnArgs as LakehouseColumnArgs
from aiplatform.lakehouse.inputs import LakehousePartitionArgs as LakehousePartitionArgs
from aiplatform.lakehouse.inputs import LakehouseSortArgs as LakehouseSortArgs
from aiplatform.lakehouse.inputs import LakehouseTableArgs as LakehouseTableArgs
from aiplatform.lakehouse.quality import LakehouseQualitySettings

Zone = Literal["raw", "curated", "serving"]
ZONES: Final[tuple[Zone, ...]] = get_args(Zone)
"""Zones, in the order in which data passes through them."""
Classification = Literal["public", "internal", "pii"]
CLASSIFICATIONS: Final[tuple[Classification, ...]] = get_args(Classification)
"""Classifications, in ascending order."""

SortDirection = Literal["asc", "desc"]
NullOrder = Literal["first", "last"]


def shadowed(tables: Sequence["LakehouseTableSettings"]) -> Iterator[Problem]:
    """Return tables with pii whose names begin with another table's. A catalog issues credentials for a table
    by a prefix of its files' names (Lake Formation API reference, "GetTemporaryGlueTableCredentials":
    "restricts the access to a single prefix"), and does not document that the prefix ends with a slash."""
    for index, table in enumerate(tables):
        for other in tables:
            longer = table.zone == other.zone and table.name.startswith(other.name)
            if longer and table.name != other.name and table.columns_of(["pii"]):
                yield Problem(
                    f"tables[{index}].name",
                    f"{got(table.name)}, which begins with the name of {other.path}: credentials for that "
                    "table's files may be valid for this one's, which contain pii; expected a name that "
                    "does not",
                )


@dataclass(frozen=True)
class LakehouseColumnSettings:
    """A column of a table."""

    name: Annotated[str, types.column_name]
    """Its name: lower-case letters, digits and `_`."""
    type: Annotated[str, types.type_rule]
    """Its type by Iceberg's name: `boolean`, `int`, `long`, `float`, `double`, `decimal(10,2)`, `date`,
    `time`, `timestamp`, `timestamptz`, `string`, `uuid`, `fixed[16]`, `binary`, `list<string>`,
    `map<string, long>`, `struct<city: required string, zip: string>`."""
    required: bool = False
    """Whether it is never null. Default false. A column can become optional later, but not required."""
    doc: Annotated[str, length(1, 255, "characters")] | None = None
    """What it means, in at most 255 characters."""
    classification: Classification = "internal"
    """`public`, `internal` or `pii` (personally identifiable information); grants refer to it. Default
    `internal`."""
    was: Annotated[str, types.column_name] | None = None
    """The name that it had before: it is renamed, and keeps its data. After the rename the key has no
    effect."""

    @property
    def field(self) -> types.Field:
        """The column as an Iceberg field."""
        return types.Field(self.name, types.parse(self.type), self.required, self.doc)


@dataclass(frozen=True)
class LakehousePartitionSettings:
    """One field of a table's partitions."""

    column: str
    """The column, or a field of a struct by its path, `customer.country`. Not a `pii` column: a partition's
    values are in the names of files."""
    transform: Annotated[str, transforms.transform_rule] = "identity"
    """Iceberg's transform: `identity`, `year`, `month`, `day`, `hour`, `bucket[16]`, `truncate[10]` or
    `void`. Default `identity`."""
    name: Annotated[str, types.column_name] | None = None
    """The partition's name. Default: the name that Iceberg's libraries give it, `ordered_at_day`."""

    @property
    def partition_name(self) -> str:
        """The partition's name, declared or Iceberg's."""
        return self.name or transforms.parse(self.transform).partition_of(self.column)


@dataclass(frozen=True)
class LakehouseSortSettings:
    """One field of the order of rows in files."""

    column: str
    """The column, or a field of a struct by its path."""
    transform: Annotated[str, transforms.transform_rule] = "identity"
    """Iceberg's transform, as in a partition. Default `identity`."""
    direction: SortDirection = "asc"
    """`asc` or `desc`. Default `asc`."""
    nulls: NullOrder | None = None
    """The position of null: `first` or `last`. Default `first` when ascending, `last` when descending."""

    @property
    def null_order(self) -> str:
        """The position of null in Iceberg's form."""
        return f"nulls-{self.nulls or ('first' if self.direction == 'asc' else 'last')}"


@dataclass(frozen=True)
class LakehouseTableSettings:
    """An Iceberg table. It is created once as declared; after that Iceberg manages its schema, and a changed
    declaration becomes a step of Iceberg's schema evolution: columns are added at the end, widened (int to
    long, float to double, more digits), renamed by `was`, made optional, described differently; partitions
    and order change for new files. Changes that would lose data or break readers are refused: a column that
    is no longer declared, another type, a new required column. Columns that clients added stay. A table that
    is no longer declared is removed from the catalog; its files stay in the bucket."""

    zone: Zone
    """Its zone: `raw`, `curated` or `serving`."""
    name: Annotated[str, types.column_name]
    """Its name: lower-case letters, digits and `_`. A table with a `pii` column may not have a name that
    begins with the name of another table of its zone (`orders_private` with `orders`)."""
    columns: Annotated[list[LakehouseColumnSettings], length(1, 1000, "columns")]
    """Its columns."""
    owner: Annotated[str, length(1, 255, "characters")] | None = None
    """The responsible team. Required where a column is `pii`."""
    description: Annotated[str, length(1, 2048, "characters")] | None = None
    """What it contains."""
    partitions: list[LakehousePartitionSettings] = field(default_factory=list[LakehousePartitionSettings])
    """Its partitions. Default none."""
    sort_order: list[LakehouseSortSettings] = field(default_factory=list[LakehouseSortSettings])
    """The order of rows in its files. Default none."""
    snapshot_days: Annotated[int, between(1, 3650, "days")] | None = None
    """How long its snapshots are retained, in days; earlier states cannot be read. Default: its zone's."""
    quality: LakehouseQualitySettings | None = None
    """Rules for its rows. Default none."""

    @property
    def path(self) -> str:
        """Its name in grants: `curated.orders`."""
        return f"{self.zone}.{self.name}"

    @property
    def fields(self) -> list[types.Field]:
        """Its columns as Iceberg fields."""
        return [column.field for column in self.columns]

    @property
    def classification(self) -> Classification:
        """The highest of its columns; a column that a client adds has it until it is declared."""
        present = {column.classification for column in self.columns}
        return next(level for level in reversed(CLASSIFICATIONS) if level in present)

    def columns_of(self, classifications: Sequence[str]) -> list[str]:
        """Return the columns with these classifications."""
        return [column.name for column in self.columns if column.classification in classifications]

    @property
    def unmeasured(self) -> dict[str, str]:
        """Table properties by which writers store no bounds and counts of pii (Iceberg docs, "Configuration":
        `write.metadata.metrics.column`). Metadata tables such as `table$files` show them to readers of any
        column."""
        return {
            f"write.metadata.metrics.column.{leaf}": "none"
            for column in self.columns
            if column.classification == "pii"
            for leaf in types.leaves(column.name, column.field.type)
        }

    def check(self) -> Iterator[Problem]:
        """Return what Iceberg refuses, and pii without an owner."""
        names = [column.name for column in self.columns]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Problem(f"columns[{index}].name", f"{got(name)} twice; expected each only once")
        yield from self._renames(names)
        for problem in self.quality.misfits(self.fields) if self.quality else ():
            yield Problem(f"quality.{problem.path}", problem.reason)
        private = self.columns_of(["pii"])
        if private and self.owner is None:
            yield Problem(
                "owner", f"missing; expected the team that is responsible for its pii: {', '.join(private)}"
            )
        yield from self._sources("partitions", self.partitions)
        yield from self._sources("sort_order", self.sort_order)
        yield from self._partition_names(names)
        yield from self._partitions_of_pii(private)
        for parts, where in ((self.partitions, "partitions"), (self.sort_order, "sort_order")):
            declared = [(part.column, transforms.parse(part.transform)) for part in parts]
            for index, reason in transforms.repeated(declared):
                yield Problem(f"{where}[{index}].transform", reason)

    def _renames(self, names: Sequence[str]) -> Iterator[Problem]:
        before = [column.was for column in self.columns]
        for index, was in enumerate(before):
            if was is None:
                continue
            if was in names:
                reason = "which is a column too; expected the name of one that is no longer declared"
                yield Problem(f"columns[{index}].was", with_value(was, reason))
            elif was in before[:index]:
                yield Problem(f"columns[{index}].was", f"{got(was)} twice; expected each only once")

    def _sources(
        self, where: str, parts: Sequence[LakehousePartitionSettings] | Sequence[LakehouseSortSettings]
    ) -> Iterator[Problem]:
        fields = self.fields
        for index, part in enumerate(parts):
            source = types.find(fields, part.column)
            if source is None:
                known = [column.name for column in self.columns]
                yield Problem(
                    f"{where}[{index}].column",
                    f"{got(part.column)}; expected a column of the table: "
                    f"{', '.join(known)}{nearest(part.column, known)}",
                )
                continue
            reason = transforms.parse(part.transform).wrong_for(source)
            if reason:
                yield Problem(f"{where}[{index}].transform", with_value(part.transform, reason))

    def _partitions_of_pii(self, private: Sequence[str]) -> Iterator[Problem]:
        """Values of partitions are in the keys of objects, and so in access logs and in metadata."""
        for index, part in enumerate(self.partitions):
            if part.column.partition(".")[0] in private and part.transform != "void":
                yield Problem(
                    f"partitions[{index}].column",
                    f"{got(part.column)}, which is pii: its values would be in the names of files, which no "
                    "grant protects; expected a column that is public or internal",
                )

    def _partition_names(self, columns: Sequence[str]) -> Iterator[Problem]:
        seen: set[str] = set()
        for index, part in enumerate(self.partitions):
            path = f"partitions[{index}].name"
            is_own_column = part.transform == "identity" and part.partition_name == part.column
            if part.partition_name in columns and not is_own_column:
                yield Problem(path, f"{got(part.partition_name)}, which is a column; expected another name")
            elif part.partition_name in seen:
                yield Problem(path, f"{got(part.partition_name)} twice; expected each only once")
            seen.add(part.partition_name)
