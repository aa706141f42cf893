"""Tables of Hive's kind: files under a location, and folders of partitions."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq

from twin.aws.services.athena.queries import types
from twin.aws.services.athena.queries.errors import DATA, SCHEMA, QueryFailed, untranslated
from twin.aws.services.athena.queries.storage import Meter, Storage

Params = Mapping[str, Any]
NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Format:
    """How a table's files are read and written, by Hive's class names."""

    name: str
    input: str
    output: str
    serde: str


FORMATS: Final = {
    format_.name: format_
    for format_ in (
        Format(
            "PARQUET",
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        ),
        Format(
            "ORC",
            "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
            "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
            "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
        ),
        Format(
            "TEXTFILE",
            "org.apache.hadoop.mapred.TextInputFormat",
            "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        ),
        Format(
            "JSON",
            "org.apache.hadoop.mapred.TextInputFormat",
            "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "org.openx.data.jsonserde.JsonSerDe",
        ),
    )
}


def columns(of: Params) -> list[tuple[str, pa.DataType]]:
    """A Glue table's own columns."""
    columns = (of.get("StorageDescriptor") or {}).get("Columns") or []
    return [
        (str(column["Name"]).lower(), types.of_hive(str(column.get("Type") or "string")))
        for column in columns
    ]


def keys(of: Params) -> list[tuple[str, pa.DataType]]:
    """A Glue table's partition keys."""
    return [
        (str(partition_key["Name"]).lower(), types.of_hive(str(partition_key.get("Type") or "string")))
        for partition_key in of.get("PartitionKeys") or []
    ]


def schema(of: Params) -> pa.Schema:
    """What a query sees: columns, then partition keys."""
    return pa.schema([*columns(of), *keys(of)])


@dataclass(frozen=True)
class Part:
    """One folder of a table, with the values of the partition keys there."""

    location: str
    values: tuple[str, ...]
    descriptor: Params


def read(
    table: Params, parts: Sequence[Part], storage: Storage, meter: Meter, wanted: Callable[[Params], bool]
) -> pa.Table:
    """All rows of the partitions that are wanted. wanted: whether a partition's values (by key, as Python
    values) may hold what the query asks for."""
    fields, by = columns(table), keys(table)
    tables: list[pa.Table] = []
    for part in parts:
        values = [_value(text, kind) for text, (_, kind) in zip(part.values, by, strict=True)]
        if by and not wanted({name: scalar.as_py() for (name, _), scalar in zip(by, values, strict=True)}):
            continue
        reader = _reader(part.descriptor, table)
        for location, size in storage.list(part.location.rstrip("/") + "/"):
            file = location.rsplit("/", 1)[-1]
            if not size or file.startswith(("_", ".")):
                continue
            meter.scan(location, size)
            data = _shaped(reader(storage.read(location), fields), fields, location)
            for (name, kind), value in zip(by, values, strict=True):
                data = data.append_column(pa.field(name, kind), pa.repeat(value, len(data)))
            tables.append(data)
    return pa.concat_tables(tables) if tables else schema(table).empty_table()


def _value(text: str, kind: pa.DataType) -> Any:
    if text == NO_VALUE:
        return pa.scalar(None, kind)
    try:
        return pa.scalar(text).cast(kind)
    except pa.ArrowInvalid:
        raise QueryFailed(
            f"HIVE_INVALID_PARTITION_VALUE: Invalid partition value {text!r} for {kind}", DATA
        ) from None


def _reader(descriptor: Params, table: Params) -> Callable[[bytes, Any], pa.Table]:
    serde = descriptor.get("SerdeInfo") or {}
    library = str(serde.get("SerializationLibrary") or "")
    parameters: dict[str, str] = {**(table.get("Parameters") or {}), **(serde.get("Parameters") or {})}
    if "ParquetHiveSerDe" in library:
        return lambda data, _: pq.read_table(pa.BufferReader(data))
    if "OrcSerde" in library:
        return _orc
    if "JsonSerDe" in library:
        return _json
    if library.endswith(("LazySimpleSerDe", "OpenCSVSerde")):
        return lambda data, schema: _text(data, schema, parameters, quoted=library.endswith("OpenCSVSerde"))
    raise untranslated(f"files of {library or 'a table without a SerDe'}")


def _orc(data: bytes, _: Any) -> pa.Table:
    from pyarrow import orc

    return orc.read_table(pa.BufferReader(data))


def _json(data: bytes, schema: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for line in data.decode().splitlines():
        if line.strip():
            try:
                rows.append({name.lower(): value for name, value in json.loads(line).items()})
            except (ValueError, AttributeError):
                raise QueryFailed(
                    "HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException", DATA
                ) from None
    arrays = [_loose([row.get(name) for row in rows], kind) for name, kind in schema]
    return pa.Table.from_arrays(arrays, names=[name for name, _ in schema])


def _text(
    data: bytes, schema: Sequence[tuple[str, pa.DataType]], parameters: Mapping[str, str], *, quoted: bool
) -> pa.Table:
    if quoted:
        rows = list(
            csv.reader(
                io.StringIO(data.decode()),
                delimiter=parameters.get("separatorChar", ","),
                quotechar=parameters.get("quoteChar", '"'),
                escapechar=parameters.get("escapeChar", "\\"),
            )
        )
    else:
        separator = parameters.get("field.delim") or parameters.get("serialization.format") or "\x01"
        separator = "\x01" if separator == "1" else separator
        rows = [line.split(separator) for line in data.decode().split("\n") if line]
    rows = rows[int(parameters.get("skip.header.line.count", "0")) :]
    null = parameters.get("serialization.null.format", "\\N")
    arrays: list[Any] = []
    for index, (_, kind) in enumerate(schema):
        texts = [row[index] if index < len(row) else None for row in rows]
        arrays.append(_loose([None if text == null and not quoted else text for text in texts], kind))
    return pa.Table.from_arrays(arrays, names=[name for name, _ in schema])


def _loose(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values of a text file in a column's type; what is none of it is NULL, as Hive's SerDes have it."""
    try:
        if pa.types.is_string(kind):
            return pa.array(
                [value if value is None or isinstance(value, str) else json.dumps(value) for value in values],
                kind,
            )
        if pa.types.is_nested(kind):
            return pa.array(values, kind)
        return pa.array([None if value is None else _one(str(value), kind) for value in values], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise QueryFailed(f"HIVE_BAD_DATA: Error parsing field value: {error}", DATA) from None


def _one(text: str, kind: pa.DataType) -> Any:
    try:
        return pa.scalar(text.lower() if pa.types.is_boolean(kind) else text).cast(kind).as_py()
    except pa.ArrowInvalid:
        return None


def _shaped(table: pa.Table, schema: Sequence[tuple[str, pa.DataType]], location: str) -> pa.Table:
    """A file's rows as the table declares them: by name, missing ones NULL."""
    columns = {name.lower(): table.column(index) for index, name in enumerate(table.column_names)}
    arrays: list[Any] = []
    for name, kind in schema:
        column = columns.get(name)
        if column is None:
            arrays.append(pa.nulls(len(table), kind))
            continue
        if pa.types.is_integer(column.type) and pa.types.is_string(kind):
            raise _mismatch(location, name, kind, column.type)
        try:
            # What is finer than the table's precision is cut off, as Athena does.
            if pa.types.is_timestamp(column.type) and pa.types.is_timestamp(kind):
                arrays.append(types.milliseconds(column))
            else:
                arrays.append(column.cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise _mismatch(location, name, kind, column.type) from None
    return pa.Table.from_arrays(arrays, schema=pa.schema(list(schema)))


def _mismatch(location: str, name: str, kind: pa.DataType, type_: pa.DataType) -> QueryFailed:
    return QueryFailed(
        f"HIVE_BAD_DATA: Field {name}'s type {type_} in parquet file {location} is incompatible with type "
        f"{types.trino(kind)} defined in table schema",
        DATA,
    )


# Writing


def write(data: pa.Table, format: str, separator: str = "\x01", compression: str = "") -> bytes:
    """Rows as one file. Raises QueryFailed for a format that the twin does not write."""
    sink = io.BytesIO()
    name = format.upper()
    if name == "PARQUET":
        # As Athena writes them; who reads int96 has microseconds of no time zone.
        pq.write_table(
            data, sink, compression=(compression or "gzip").lower(), use_deprecated_int96_timestamps=True
        )
    elif name == "ORC":
        from pyarrow import orc

        orc.write_table(data, sink)
    elif name == "JSON":
        sink.write("".join(f"{json.dumps(row, default=_json_text)}\n" for row in data.to_pylist()).encode())
    elif name in ("TEXTFILE", "CSV"):
        from twin.aws.services.athena.queries.results import text

        names = list(data.columns)
        for row in zip(*[column.to_pylist() for column in names], strict=True):
            cells = [text(value, column.type) for value, column in zip(row, names, strict=True)]
            sink.write((separator.join("\\N" if cell is None else cell for cell in cells) + "\n").encode())
    else:
        raise untranslated(f"files of the format {format}")
    return sink.getvalue()


def _json_text(value: Any) -> str:
    return str(value)


def split(data: pa.Table, by: Sequence[str]) -> list[tuple[tuple[str, ...], pa.Table]]:
    """Rows by the values of their partition keys, which the rows themselves no longer hold."""
    if not by:
        return [((), data)]
    from twin.aws.services.athena.queries.results import text

    groups: dict[tuple[str, ...], list[int]] = {}
    named = [data.column(name) for name in by]
    for index, row in enumerate(zip(*[column.to_pylist() for column in named], strict=True)):
        cells = [text(value, column.type) for value, column in zip(row, named, strict=True)]
        groups.setdefault(tuple(NO_VALUE if cell is None else cell for cell in cells), []).append(index)
    rest = data.drop_columns(list(by))
    return [(values, rest.take(indices)) for values, indices in groups.items()]


def folder(location: str, names: Sequence[str], values: Sequence[str]) -> str:
    """Where a partition is: `location/day=2026-01-01/`."""
    inner = "".join(
        f"{name}={quote(value, safe=' -_.~')}/" for name, value in zip(names, values, strict=True)
    )
    return f"{location.rstrip('/')}/{inner}"


_FOLDER: Final = re.compile(r"([^=/]+)=([^/]*)")


def discovered_partitions(
    location: str, names: Sequence[str], files: Sequence[str]
) -> dict[tuple[str, ...], str]:
    """Partitions that the files under a location show (MSCK REPAIR TABLE), by their values."""
    partitions: dict[tuple[str, ...], str] = {}
    base = location.rstrip("/") + "/"
    for file in files:
        parts = file.removeprefix(base).split("/")[: len(names)]
        matched = [_FOLDER.fullmatch(part) for part in parts]
        values = [
            unquote(match[2])
            for match, name in zip(matched, names, strict=False)
            if match and match[1] == name
        ]
        if len(values) == len(names):
            partitions[tuple(values)] = base + "/".join(parts) + "/"
    return partitions


def descriptor(of: pa.Schema, location: str, format: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """A Glue storage descriptor. Raises QueryFailed for types that Hive has not."""
    kind = FORMATS.get(format.upper())
    if kind is None:
        raise QueryFailed(f"Unsupported storage format: {format}: one of {', '.join(FORMATS)} is", SCHEMA)
    return {
        "Columns": types.hive_columns(of),
        "Location": location,
        "InputFormat": kind.input,
        "OutputFormat": kind.output,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": kind.serde, "Parameters": dict(parameters)},
        "SortColumns": [],
        "BucketColumns": [],
        "StoredAsSubDirectories": False,
    }
