"""A table as it is created by its declaration, and its changes: updates are applied by PyIceberg, so that
what the keeper asks for is what a catalog understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pyiceberg.table.metadata import TableMetadata, TableMetadataV2
from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

from aiplatform._shared.args import read
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.table_keeper.planning import Plan, plan
from aiplatform.lakehouse.table_spec import declaration, first_properties
from aiplatform.lakehouse.tables import LakehouseTableSettings
from aiplatform.lakehouse.types import numbered
from tests.components.aiplatform.lakehouse.example import PIPELINE

_UPDATES = TypeAdapter(tuple[TableUpdate, ...])
_REQUIREMENTS = TypeAdapter(tuple[TableRequirement, ...])
SNAPSHOT = 7_301_000_000_000_000_001


def settings(table: Mapping[str, Any], **more: Any) -> LakehouseSettings:
    """A lakehouse with one table."""
    arguments = {"prefix": "acme-dev", "writers": [PIPELINE], "tables": [table], **more}
    return read(LakehouseSettings, arguments, "LakehouseArgs")


def created(table: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a table that was created by its declaration, as Iceberg's spec has it."""
    lake = settings(table)
    declared: LakehouseTableSettings = lake.tables[0]
    schema = numbered(declared.fields)
    partitions = [
        {
            "field-id": 1000 + index,
            "source-id": schema.id_of(part.column),
            "transform": part.transform,
            "name": part.partition_name,
        }
        for index, part in enumerate(declared.partitions)
    ]
    order = [
        {
            "source-id": schema.id_of(part.column),
            "transform": part.transform,
            "direction": part.direction,
            "null-order": part.null_order,
        }
        for part in declared.sort_order
    ]
    return {
        "format-version": 2,
        "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
        "location": f"s3://acme-dev-{declared.zone}/tables/{declared.name}",
        "last-sequence-number": 0,
        "last-updated-ms": 1_764_000_000_000,
        "last-column-id": max(_ids(list(schema.fields))),
        "current-schema-id": 0,
        "schemas": [{"type": "struct", "schema-id": 0, "fields": list(schema.fields)}],
        "default-spec-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": partitions}],
        "last-partition-id": 999 + len(partitions),
        "default-sort-order-id": 1 if order else 0,
        "sort-orders": [{"order-id": 1 if order else 0, "fields": order}],
        "properties": first_properties(lake, declared, schema),
        "snapshots": [],
        "refs": {},
    }


def written(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The same table with a snapshot."""
    snapshot = {
        "snapshot-id": SNAPSHOT,
        "sequence-number": 1,
        "timestamp-ms": 1_764_000_100_000,
        "manifest-list": f"{metadata['location']}/metadata/snap.avro",
        "summary": {"operation": "append"},
        "schema-id": 0,
    }
    main = {"snapshot-id": SNAPSHOT, "type": "branch"}
    return {
        **metadata,
        "snapshots": [snapshot],
        "current-snapshot-id": SNAPSHOT,
        "last-sequence-number": 1,
        "refs": {"main": main},
    }


def planned(metadata: Mapping[str, Any], table: Mapping[str, Any], **more: Any) -> Plan:
    """What the keeper would do for a declaration."""
    lake = settings(table, **more)
    return plan(metadata, declaration(lake, lake.tables[0]))


def followed(metadata: Mapping[str, Any], table: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The metadata after the keeper has been."""
    migration = planned(metadata, table, **more)
    assert not migration.problems, migration.problems
    base: TableMetadata = TableMetadataV2.model_validate(metadata)
    for requirement in _REQUIREMENTS.validate_python(migration.requirements):
        requirement.validate(base)
    if not migration.updates:
        return dict(metadata)
    after = update_table_metadata(base, _UPDATES.validate_python(migration.updates), enforce_validation=True)
    return after.model_dump(mode="json", by_alias=True, exclude_none=True)


def columns(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> the column as it is now."""
    number = metadata["current-schema-id"]
    schema = next(entry for entry in metadata["schemas"] if entry["schema-id"] == number)
    return {column["name"]: column for column in schema["fields"]}


def _ids(node: Any) -> list[int]:
    if isinstance(node, list):
        return [number for entry in node for number in _ids(entry)]
    if not isinstance(node, dict):
        return []
    ids = [value for key, value in node.items() if key in ("id", "element-id", "key-id", "value-id")]
    return ids + [number for value in node.values() for number in _ids(value)]
