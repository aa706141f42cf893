"""A table's declaration as the table keeper takes it: plain, so that equal declarations give equal texts."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.table_keeper.planning import NOTE, new_note
from aiplatform.lakehouse.tables import TableSettings
from aiplatform.lakehouse.types import Numbered, numbered

_IDS = ("id", "element-id", "key-id", "value-id")


def declaration(settings: LakehouseSettings, table: TableSettings) -> dict[str, Any]:
    """What a table is to be. Ids are left out: the table's own count."""
    private = table.columns_of(["pii"])
    was = {column.name: column.was for column in table.columns if column.was is not None}
    return {
        "path": table.path,
        "columns": [
            {**field, **({"was": was[field["name"]]} if field["name"] in was else {})}
            for field in _plain(numbered(table.fields).fields)
        ],
        "partitions": [
            {"column": part.column, "transform": part.transform, "name": part.called}
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
                "name": each.name,
                "kind": each.kind,
                **({"snapshot_id": each.snapshot_id} if each.snapshot_id is not None else {}),
                **({"keep_days": each.keep_days} if each.keep_days is not None else {}),
            }
            for each in settings.snapshots
            if each.table == table.path
        ],
    }


def properties(settings: LakehouseSettings, table: TableSettings) -> dict[str, str]:
    """A table's properties as they are declared."""
    published = any(table.path in batch.publishes for batch in settings.batches)
    return {
        **({"comment": table.description} if table.description else {}),
        **({"owner": table.owner} if table.owner else {}),
        # Writers that follow it clean old metadata up; optimizers look after snapshots and files.
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "100",
        **table.unmeasured,
        # Spark then writes to the branch that its session names (Iceberg, "Branching and Tagging").
        **({"write.wap.enabled": "true"} if published else {}),
    }


def first_properties(
    settings: LakehouseSettings, table: TableSettings, schema: Numbered, *, unpartitioned: bool = False
) -> dict[str, str]:
    """The properties that a table is made with: with the note that the keeper goes by. unpartitioned: it is
    made without its partitions and order, which the keeper then brings."""
    made = declaration(settings, table)
    if unpartitioned:
        made["partitions"] = made["sort_order"] = ()
    return {**made["properties"], NOTE: new_note(schema.fields, made)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return {key: _plain(entry) for key, entry in entries.items() if key not in _IDS}
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = cast("Sequence[Any]", value)
        return [_plain(entry) for entry in items]
    return value
