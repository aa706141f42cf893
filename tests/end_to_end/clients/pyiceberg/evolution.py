"""Use a table while its declaration changes: JSON on stdin and stdout.

The training run is that of examples/lakehouse, unchanged.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.types import StringType


def example(path: str) -> Any:
    """Load the module of the example."""
    spec = importlib.util.spec_from_file_location("training_snapshot", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def catalog(payload: dict[str, Any]) -> Catalog:
    """Return the lakehouse's catalog, at the twin's address."""
    address = os.environ["AWS_ENDPOINT_URL"]
    endpoints = {"glue.endpoint": address, "s3.endpoint": address}
    return example(payload["example"]).as_writer(payload["lake"], **endpoints)


def append(payload: dict[str, Any]) -> dict[str, Any]:
    """Append a row for each number, with a value for every column of the table."""
    table = catalog(payload).load_table(payload["table"])
    at = datetime(2026, 11, 1, 9, tzinfo=UTC)
    values = {"placed_at": at, "email": "a@x.example", "contact": "b@x.example", "country": "DE", "note": "n"}
    names = table.schema().column_names
    rows = [
        {name: number if name == "order_id" else values[name] for name in names}
        for number in payload["numbers"]
    ]
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    return look(table)


def add_note(payload: dict[str, Any]) -> dict[str, Any]:
    """Add a column that the declaration does not have."""
    table = catalog(payload).load_table(payload["table"])
    with table.update_schema() as change:
        change.add_column("note", StringType())
    return look(table)


def seen(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the table as it is."""
    return look(catalog(payload).load_table(payload["table"]))


def train(payload: dict[str, Any]) -> dict[str, Any]:
    """Run a training, which reads the snapshot that is pinned under its name."""
    module, table = example(payload["example"]), catalog(payload).load_table(payload["table"])
    snapshot = module.pin(table, payload["run"])
    return {"snapshot": snapshot, "columns": module.rows(table, payload["run"]).to_pydict()}


def look(table: Table) -> dict[str, Any]:
    """Return what a client reads of a table: schema, partitions, references and rows."""
    return {
        "uuid": str(table.metadata.table_uuid),
        "columns": {field.name: [field.field_id, str(field.field_type)] for field in table.schema().fields},
        "partitions": [field.name for field in table.spec().fields],
        "order": [str(field) for field in table.sort_order().fields],
        "refs": {name: ref.snapshot_ref_type for name, ref in table.metadata.refs.items()},
        "rows": sorted(table.scan(selected_fields=("order_id",)).to_arrow()["order_id"].to_pylist()),
    }


ACTIONS = {action.__name__: action for action in (append, add_note, seen, train)}

if __name__ == "__main__":
    payload = json.load(sys.stdin)
    json.dump(ACTIONS[payload["do"]](payload), sys.stdout, default=str)
