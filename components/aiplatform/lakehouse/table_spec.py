"""A table's declaration as the table migrator takes it: plain data, so that equal declarations are equal
texts."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.table_keeper.planning import NOTE, new_note
from aiplatform.lakehouse.tables import LakehouseTableSettings
from aiplatform.lakehouse.types import Numbered, numbered

_IDS = ("id", "element-id", "key-id", "value-id")


def declaration(settings: LakehouseSettings, table: LakehouseTableSettings) -> dict[str, Any]:
    """Return a table's declaration. Without ids of columns, which the table itself has."""
    private = table.columns_of(["pii"])
    was = {column.name: column.was for column in table.columns if column.was is not None}
    return {
        "path": table.path,
        "columns": [
            {**field, **({"was": was[field["name"]]} if field["name"] in was else {})}
            for field in _plain(numbered(table.fields).fields)
        ],
        "partitions": [
            {"column": part.column, "transform": part.transform, "name": part.partition_name}
            for part in table.partitions
        ],
        "sort_order": [
            {
                "column": part.column,
                "transform": part.transform,
                "direction": part.direction,
                "null_order": part.null_order,
            }
            for part in table.sort_order
        ],
        **({"private": private} if private else {}),
        "properties": properties(settings, table),
        "snapshots": [
            {
                "name": snapshot.name,
                "kind": snapshot.kind,
                **({"snapshot_id": snapshot.snapshot_id} if snapshot.snapshot_id is not None else {}),
                **({"keep_days": snapshot.keep_days} if snapshot.keep_days is not None else {}),
            }
            for snapshot in settings.snapshots
            if snapshot.table == table.path
        ],
    }


def properties(settings: LakehouseSettings, table: LakehouseTableSettings) -> dict[str, str]:
    """Return the declared properties of a table."""
    published = any(table.path in batch.publishes for batch in settings.batches)
    return {
        **({"comment": table.description} if table.description else {}),
        **({"owner": table.owner} if table.owner else {}),
        # Writers that support it delete old metadata; optimizers maintain snapshots and files.
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "100",
        **table.unmeasured,
        # Spark then writes to the branch of its session (Iceberg, "Branching and Tagging").
        **({"write.wap.enabled": "true"} if published else {}),
    }


def first_properties(
    settings: LakehouseSettings,
    table: LakehouseTableSettings,
    schema: Numbered,
    *,
    unpartitioned: bool = False,
) -> dict[str, str]:
    """Return the properties of a new table: the declared ones, and the note by which the migrator recognizes
    changes. unpartitioned: it is created without partitions and order, which the migrator then adds."""
    declared = declaration(settings, table)
    if unpartitioned:
        declared["partitions"] = declared["sort_order"] = ()
    return {**declared["properties"], NOTE: new_note(schema.fields, declared)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return {key: _plain(entry) for key, entry in entries.items() if key not in _IDS}
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = cast("Sequence[Any]", value)
        return [_plain(entry) for entry in items]
    return value
