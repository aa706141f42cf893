"""Iceberg tables: what a query reads of them, and commits to them, by pyiceberg over the twin's cloud."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException, ValidationError
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.table import Table
from pyiceberg.transforms import parse_transform

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Refusal
from twin.aws.services.athena.queries import types
from twin.aws.services.athena.queries.errors import DATA, SCHEMA, QueryFailed
from twin.aws.services.athena.queries.storage import Meter, Storage, Upload


class _Input(InputFile):
    def __init__(self, location: str, storage: Storage) -> None:
        super().__init__(location)
        self._storage = storage

    def __len__(self) -> int:
        return self._storage.size(self._location)

    def exists(self) -> bool:
        try:
            self._storage.size(self._location)
        except FileNotFoundError:
            return False
        return True

    def open(self, seekable: bool = True) -> Any:
        return io.BytesIO(self._storage.read(self._location))


class _Output(OutputFile):
    def __init__(self, location: str, storage: Storage) -> None:
        super().__init__(location)
        self._storage = storage

    def __len__(self) -> int:
        return self._storage.size(self._location)

    def exists(self) -> bool:
        return self.to_input_file().exists()

    def to_input_file(self) -> InputFile:
        return _Input(self._location, self._storage)

    def create(self, overwrite: bool = False) -> Any:
        return Upload(self._storage, self._location)


class Files(FileIO):
    """pyiceberg's files in the twin's S3. The storage comes in as a property, which pyiceberg hands on."""

    def new_input(self, location: str) -> InputFile:
        return _Input(location, self._storage)

    def new_output(self, location: str) -> OutputFile:
        return _Output(location, self._storage)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        self._storage.delete(location if isinstance(location, str) else location.location)

    @property
    def _storage(self) -> Storage:
        storage: Any = self.properties["twin.storage"]
        return storage


def catalog(glue: Inside, storage: Storage) -> GlueCatalog:
    """The Glue catalog, by the caller's Glue and the S3 of the query."""
    properties: Any = {"py-io-impl": f"{__name__}.Files", "twin.storage": storage}
    return GlueCatalog("glue", glue.client("glue"), **properties)


def load(glue: Inside, storage: Storage, database: str, name: str) -> Table:
    """A table as it is now. Raises QueryFailed where its metadata cannot be read."""
    try:
        return catalog(glue, storage).load_table((database, name))
    except FileNotFoundError as error:
        raise QueryFailed(
            f"ICEBERG_INVALID_METADATA: Metadata not found in metadata location for table {database}.{name}: "
            f"{error}",
            SCHEMA,
        ) from None


def snapshot(table: Table, version: str | int | None, at: datetime | None) -> int | None:
    """The snapshot that a time travel names: a snapshot's id, a branch or tag, or a moment."""
    if version is not None:
        if isinstance(version, str):
            ref = table.metadata.refs.get(version)
            if ref is None:
                raise QueryFailed(f"Cannot find snapshot with reference name: {version}")
            return ref.snapshot_id
        if table.snapshot_by_id(version) is None:
            raise QueryFailed(f"Iceberg snapshot ID does not exists: {version}")  # Trino's own spelling
        return version
    if at is not None:
        snapshot = table.snapshot_as_of_timestamp(int(at.timestamp() * 1000))
        if snapshot is None:
            raise QueryFailed(
                f"No version history table {table.name()[0]}.{table.name()[1]} at or before {at.isoformat()}"
            )
        return snapshot.snapshot_id
    return None


def read(table: Table, meter: Meter, rows: Any, snapshot_id: int | None) -> pa.Table:
    """The rows that a filter may let through, with each file counted once. rows: a pyiceberg expression."""
    scan = table.scan(row_filter=rows, snapshot_id=snapshot_id)
    try:
        for task in scan.plan_files():
            for file in (task.file, *task.delete_files):
                meter.scan(file.file_path, file.file_size_in_bytes)
        return scan.to_arrow()
    except FileNotFoundError as error:
        raise QueryFailed(f"ICEBERG_CANNOT_OPEN_SPLIT: {error} does not exist", DATA) from None
    except (ValueError, NotImplementedError) as error:
        raise QueryFailed(f"NOT_SUPPORTED: the twin's Athena cannot read the table: {error}", DATA) from None


def inspect(table: Table, what: str) -> pa.Table:
    """A metadata table: `"t$snapshots"`, `$history`, `$files`, `$partitions`, `$refs`, `$manifests`."""
    inspections = {
        "snapshots": table.inspect.snapshots,
        "history": table.inspect.history,
        "files": table.inspect.files,
        "partitions": table.inspect.partitions,
        "refs": table.inspect.refs,
        "manifests": table.inspect.manifests,
    }.get(what)
    if inspections is None:
        raise QueryFailed(f"TABLE_NOT_FOUND: Table '{table.name()[-1]}${what}' does not exist", SCHEMA)
    return inspections()


def fitted(table: Table, data: pa.Table) -> pa.Table:
    """Rows in the table's own types, by position. Raises QueryFailed where they do not fit."""
    wanted = table.schema().as_arrow()
    if len(wanted) != data.num_columns:
        raise types.mismatched(wanted, data.schema)
    columns: list[Any] = []
    for field, column in zip(wanted, data.columns, strict=True):
        if not types.coercible(column.type, field.type):
            raise types.mismatched(wanted, data.schema)
        if not field.nullable and column.null_count:
            raise QueryFailed(
                f"CONSTRAINT_VIOLATION: NULL value not allowed for NOT NULL column: {field.name}", DATA
            )
        columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=wanted)


def append(table: Table, data: pa.Table) -> None:
    """One commit with these rows."""
    _commit(lambda: table.append(fitted(table, data)))


def replace(table: Table, data: pa.Table) -> None:
    """One commit after which the table holds these rows and no other: DELETE, UPDATE and MERGE, copied on
    write."""
    _commit(lambda: table.overwrite(fitted(table, data)))


def _commit(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except CommitFailedException as error:
        raise QueryFailed(
            f"ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: {error}"
        ) from None
    except (ValueError, ValidationError, Refusal) as error:
        raise QueryFailed(f"ICEBERG_COMMIT_ERROR: {error}", DATA) from None


def micro(kind: pa.DataType) -> pa.DataType:
    """A type as an Iceberg table has it: timestamps in microseconds."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if pa.types.is_list(kind):
        return pa.list_(micro(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(micro(kind.key_type), micro(kind.item_type))
    if pa.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        return pa.struct([pa.field(field.name, micro(field.type), field.nullable) for field in fields])
    return pa.int32() if kind in (pa.int8(), pa.int16()) else kind


_TRANSFORM: Final = re.compile(r"(\w+)\((?:(\d+),\s*)?(\w+)(?:,\s*(\d+))?\)")


def create(
    glue: Inside,
    storage: Storage,
    named: tuple[str, str],
    schema: pa.Schema,
    location: str,
    partitioning: Sequence[str],
) -> Table:
    """A new table. partitioning: `day(ts)`, `bucket(16, id)`, `region`."""
    created = catalog(glue, storage)

    def run() -> Table:
        with created.create_table_transaction(named, schema, location.rstrip("/")) as txn:
            if partitioning:
                with txn.update_spec() as spec:
                    for text in partitioning:
                        column, transform = _partition(text)
                        spec.add_field(column, parse_transform(transform))
        return created.load_table(named)

    return _commit(run)


def _partition(text: str) -> tuple[str, str]:
    match = _TRANSFORM.fullmatch(text.strip().replace("`", "").replace('"', ""))
    if not match:
        return text.strip().strip('`"'), "identity"
    kind, before, column, after = match.groups()
    number = before or after
    return column, f"{kind.lower()}[{number}]" if number else kind.lower()


def add_columns(table: Table, columns: Sequence[tuple[str, pa.DataType]]) -> None:
    """ALTER TABLE ... ADD COLUMNS."""

    def run() -> None:
        with table.update_schema() as update:
            update.union_by_name(pa.schema([pa.field(name, kind) for name, kind in columns]))

    present = {field.name for field in table.schema().fields}
    for name, _ in columns:
        if name in present:
            raise QueryFailed(f"Cannot add column, name already exists: {name}", SCHEMA)
    _commit(run)
