"""What a client does to a table while its declaration changes, and what it sees: JSON on stdin and stdout.

The training run is the one of examples/lakehouse, as it stands there.
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
    """The module of the example."""
    spec = importlib.util.spec_from_file_location("training_snapshot", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def catalog(asked: dict[str, Any]) -> Catalog:
    """The lakehouse's catalog, at the world's address."""
    address = os.environ["AWS_ENDPOINT_URL"]
    given = {"glue.endpoint": address, "s3.endpoint": address}
    return example(asked["example"]).as_writer(asked["lake"], **given)


def append(asked: dict[str, Any]) -> dict[str, Any]:
    """Rows for all columns that the table has, one a number."""
    table = catalog(asked).load_table(asked["table"])
    at = datetime(2026, 11, 1, 9, tzinfo=UTC)
    told = {"placed_at": at, "email": "a@x.example", "contact": "b@x.example", "country": "DE", "note": "n"}
    names = table.schema().column_names
    made = [
        {name: number if name == "order_id" else told[name] for name in names} for number in asked["numbers"]
    ]
    table.append(pa.Table.from_pylist(made, schema=table.schema().as_arrow()))
    return look(table)


def add_note(asked: dict[str, Any]) -> dict[str, Any]:
    """A column of the client's own."""
    table = catalog(asked).load_table(asked["table"])
    with table.update_schema() as change:
        change.add_column("note", StringType())
    return look(table)


def seen(asked: dict[str, Any]) -> dict[str, Any]:
    """The table as it is."""
    return look(catalog(asked).load_table(asked["table"]))


def train(asked: dict[str, Any]) -> dict[str, Any]:
    """A training run, which reads by its name."""
    module, table = example(asked["example"]), catalog(asked).load_table(asked["table"])
    snapshot = module.pin(table, asked["run"])
    return {"snapshot": snapshot, "columns": module.rows(table, asked["run"]).to_pydict()}


def look(table: Table) -> dict[str, Any]:
    """What a client makes of a table."""
    return {
        "uuid": str(table.metadata.table_uuid),
        "columns": {field.name: [field.field_id, str(field.field_type)] for field in table.schema().fields},
        "partitions": [field.name for field in table.spec().fields],
        "order": [str(field) for field in table.sort_order().fields],
        "refs": {name: ref.snapshot_ref_type for name, ref in table.metadata.refs.items()},
        "rows": sorted(table.scan(selected_fields=("order_id",)).to_arrow()["order_id"].to_pylist()),
    }


DEEDS = {each.__name__: each for each in (append, add_note, seen, train)}

if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(DEEDS[given["do"]](given), sys.stdout, default=str)
