"""Iceberg tables of the lakehouse, by the default catalog of PyIceberg, which the team's configuration
states."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import pyarrow as pa

from model_monitor.errors import RefusedError

Row = Mapping[str, Any]
_ATTEMPTS: Final = 6
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def load(name: str) -> Any:
    """Return a table. Raises RefusedError for an unknown one."""
    from pyiceberg.catalog import load_catalog
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    try:
        return load_catalog().load_table(name)
    except (NoSuchNamespaceError, NoSuchTableError) as error:
        raise RefusedError(f"table {name!r}: {error}; expected a table of the lakehouse") from error


def check(table: Any, name: str, columns: Mapping[str, Callable[[pa.DataType], bool]]) -> None:
    """Raise RefusedError for a column that a table lacks or has in another type. columns: name -> whether a
    type is accepted."""
    schema = table.schema().as_arrow()
    known = {field.name: field.type for field in schema}
    missing = [column for column in columns if column not in known]
    if missing:
        raise RefusedError(
            f"table {name!r}: no column {', '.join(missing)}; expected it in the lakehouse's table"
        )
    for column, accepts in columns.items():
        if not accepts(known[column]):
            raise RefusedError(f"table {name!r}: column {column} is {known[column]}; expected another type")


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def is_number(kind: pa.DataType) -> bool:
    """Whether a type is a number."""
    return pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def is_category(kind: pa.DataType) -> bool:
    """Whether values of a type are categories."""
    return is_text(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)


def text_of(value: Any) -> str | None:
    """Return a value as a category: 3 and 3.0 are the same, in bodies and in tables. None for no scalar."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value == int(value) else str(value)
    return None


def converter(kind: pa.DataType) -> Callable[[Any], Any]:
    """Return what converts values of bodies to the type of a column, as `converted` does, of which it is the
    faster form for the types that most columns have."""
    if is_text(kind):
        return text_of
    if pa.types.is_floating(kind):
        return _float
    return lambda value: converted(value, kind)


def _float(value: Any) -> float | None:
    # No bool, which is a kind of int.
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def converted(value: Any, kind: pa.DataType) -> Any:
    """Return a value of a body in the type of its column; None for one that it has no place for."""
    if value is None:
        return None
    if is_text(kind):
        return text_of(value)
    if pa.types.is_floating(kind):
        return _float(value)
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False, "1": True, "0": False}.get(text_of(value) or "")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        # Identifiers in texts, such as keys; a number in a text is another type for a number's column.
        number = (
            Decimal(value if pa.types.is_integer(kind) else str(value)) if _is_plain(value, kind) else None
        )
    except InvalidOperation:
        return None
    if number is None or not number.is_finite():
        return None
    return _of_number(number, kind)


def _is_plain(value: Any, kind: pa.DataType) -> bool:
    return not isinstance(value, str) or pa.types.is_integer(kind)


def _of_number(number: Decimal, kind: pa.DataType) -> Any:
    if pa.types.is_decimal(kind):
        if abs(number) >= Decimal(10) ** (kind.precision - kind.scale):
            return None
        return round(number, kind.scale)
    if number != number.to_integral_value() or abs(number) >= 1 << (kind.bit_width - 1):
        return None
    return int(number)


def arrow(schema: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    """Return rows in the schema of a table; columns that they lack are null."""
    return pa.Table.from_pylist(
        [{name: row.get(name) for name in schema.names} for row in rows], schema=schema
    )


def commit(name: str, rows: Callable[[Any], pa.Table]) -> int:
    """Append rows by a commit that fails where another one was in between; then they are determined again.

    rows: the rows for a state of the table; none: nothing is committed. Returns their number. PyIceberg
    repeats a commit itself by default, on top of one that it has not seen: two programs would both append the
    same."""
    from pyiceberg.exceptions import CommitFailedException

    for attempt in range(_ATTEMPTS):
        table = load(name)
        stated = rows(table)
        if not stated.num_rows:
            return 0
        table.metadata.properties["commit.retry.num-retries"] = "0"  # of this copy
        try:
            table.append(stated)
        except CommitFailedException:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.2 * 2**attempt)
        else:
            return stated.num_rows
    return 0


def within(start: datetime, end: datetime) -> Any:
    """Return the filter of the half-open interval [start, end) of `time`."""
    from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan

    return And(GreaterThanOrEqual("time", start.isoformat()), LessThan("time", end.isoformat()))


def batches(
    table: Any, columns: Iterable[str], *, where: Any = None, snapshot: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield batches of rows, file by file: PyIceberg's reader reads all files at once, and keeps each whole
    one in memory until it is used."""
    for _, read in _files(table, columns, where, snapshot):
        yield from read


def by_time(
    table: Any, columns: Iterable[str], where: Any
) -> Iterator[tuple[datetime | None, Iterator[pa.RecordBatch]]]:
    """Yield the files of a table, those with the earliest `time` first: this time, by the table's metadata,
    or None where these do not state it, and the batches of the file."""
    from pyiceberg.conversions import from_bytes

    field = table.schema().find_field("time")

    def earliest(task: Any) -> datetime | None:
        bound = (task.file.lower_bounds or {}).get(field.field_id)
        if bound is None:
            return None
        return _EPOCH + timedelta(microseconds=from_bytes(field.field_type, bound))

    known = [(earliest(task), read) for task, read in _files(table, columns, where, None)]
    return iter(sorted(known, key=lambda pair: pair[0] or _EPOCH))


def _files(
    table: Any, columns: Iterable[str], where: Any, snapshot: int | None
) -> Iterator[tuple[Any, Iterator[pa.RecordBatch]]]:
    """Yield the files of a scan, each with its batches, which are read once they are iterated over."""
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan

    if snapshot is None and table.current_snapshot() is None:
        return
    filtered = where if where is not None else AlwaysTrue()
    scan = table.scan(row_filter=filtered, selected_fields=tuple(columns), snapshot_id=snapshot)
    reader = ArrowScan(table.metadata, table.io, scan.projection(), filtered)
    for task in scan.plan_files():
        if task.delete_files:
            yield task, reader.to_record_batches([task])
        else:
            # What to_record_batches calls, without a list of all batches of the file.
            yield task, reader._record_batches_from_scan_tasks_and_deletes([task], {})
