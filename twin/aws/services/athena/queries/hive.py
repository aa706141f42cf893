"""Tables of Hive's kind: Parquet files under a location."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from twin.aws.services.athena.queries import types
from twin.aws.services.athena.queries.errors import DATA, QueryFailed, untranslated
from twin.aws.services.athena.queries.storage import Meter, Storage

Params = Mapping[str, Any]


def schema(of: Params) -> pa.Schema:
    """A Glue table's columns."""
    columns = (of.get("StorageDescriptor") or {}).get("Columns") or []
    fields = [
        (str(column["Name"]).lower(), types.of_hive(str(column.get("Type") or "string")))
        for column in columns
    ]
    return pa.schema(fields)


def read(table: Params, storage: Storage, meter: Meter) -> pa.Table:
    """All rows. Raises QueryFailed for files that the twin does not read."""
    descriptor: Params = table.get("StorageDescriptor") or {}
    library = str((descriptor.get("SerdeInfo") or {}).get("SerializationLibrary") or "")
    if table.get("PartitionKeys"):
        raise untranslated("a partitioned Hive table")
    if "ParquetHiveSerDe" not in library:
        raise untranslated(f"files of {library or 'a table without a SerDe'}")
    wanted = schema(table)
    tables: list[pa.Table] = []
    for location, size in storage.list(str(descriptor.get("Location") or "").rstrip("/") + "/"):
        if size and not location.rsplit("/", 1)[-1].startswith(("_", ".")):
            meter.scan(location, size)
            data = pq.read_table(pa.BufferReader(storage.read(location)))
            tables.append(_shaped(data, wanted, location))
    return pa.concat_tables(tables) if tables else wanted.empty_table()


def _shaped(table: pa.Table, wanted: pa.Schema, location: str) -> pa.Table:
    """A file's rows as the table declares them: by name, missing ones NULL."""
    columns = {name.lower(): table.column(index) for index, name in enumerate(table.column_names)}
    arrays: list[Any] = []
    for field in wanted:
        column = columns.get(field.name)
        if column is None:
            arrays.append(pa.nulls(len(table), field.type))
            continue
        if pa.types.is_integer(column.type) and pa.types.is_string(field.type):
            raise _mismatch(location, field, column.type)
        try:
            # What is finer than the table's precision is cut off, as Athena does.
            if pa.types.is_timestamp(column.type) and pa.types.is_timestamp(field.type):
                arrays.append(types.milliseconds(column))
            else:
                arrays.append(column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise _mismatch(location, field, column.type) from None
    return pa.Table.from_arrays(arrays, schema=wanted)


def _mismatch(location: str, field: Any, type_: pa.DataType) -> QueryFailed:
    return QueryFailed(
        f"HIVE_BAD_DATA: Field {field.name}'s type {type_} in parquet file {location} is incompatible with "
        f"type {types.trino(field.type)} defined in table schema",
        DATA,
    )


# Writing


def write(data: pa.Table, format: str, compression: str = "") -> bytes:
    """Rows as one file. Raises QueryFailed for a format that the twin does not write."""
    if format == "JSON":
        return "".join(f"{json.dumps(row, default=str)}\n" for row in data.to_pylist()).encode()
    if format != "PARQUET":
        raise untranslated(f"files of the format {format}")
    sink = io.BytesIO()
    # As Athena writes them; who reads int96 has microseconds of no time zone.
    pq.write_table(
        data, sink, compression=(compression or "gzip").lower(), use_deprecated_int96_timestamps=True
    )
    return sink.getvalue()


def table(
    name: str, columns: Sequence[Mapping[str, str]], location: str, parameters: Mapping[str, str]
) -> dict[str, Any]:
    """Glue's TableInput of an external table of Parquet files."""
    parquet = "org.apache.hadoop.hive.ql.io.parquet"
    serde = f"{parquet}.serde.ParquetHiveSerDe"
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": dict(parameters),
        "StorageDescriptor": {
            "Columns": list(columns),
            "Location": location,
            "InputFormat": f"{parquet}.MapredParquetInputFormat",
            "OutputFormat": f"{parquet}.MapredParquetOutputFormat",
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {"serialization.format": "1"}},
            "SortColumns": [],
            "BucketColumns": [],
            "StoredAsSubDirectories": False,
        },
    }
