"""What a pipeline and a team do with a lakehouse on Google Cloud by PyIceberg: JSON on stdin, JSON on stdout.

Told: the lakehouse's outputs, where Google is, and for each of those that come their access token and what
they do. Answers what each of them got.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import ForbiddenError
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table
from pyiceberg.types import StringType


def catalog(asked: dict[str, Any], token: str) -> Catalog:
    """The catalog by its REST endpoint: the files come by credentials that it hands out."""
    lake, google = asked["lake"], asked["google"]
    return load_catalog(
        "lake",
        **{
            "type": "rest",
            "uri": lake["catalog_uri"].replace("https:/", google),
            "warehouse": lake["warehouse"],
            "token": token,
            "header.x-goog-user-project": lake["project"],
            "header.X-Iceberg-Access-Delegation": "vended-credentials",
            "gcs.service.host": google,
        },
    )


def append(table: Table, rows: list[dict[str, Any]]) -> int:
    """Append rows in the table's own schema; the new snapshot's id."""
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return snapshot.snapshot_id


def row(order: int, day: int, email: str, **more: str) -> dict[str, Any]:
    """An order."""
    return {"order_id": order, "placed_at": datetime(2026, 11, day, 9, tzinfo=UTC), "email": email, **more}


def write(asked: dict[str, Any], token: str) -> dict[str, Any]:
    """A pipeline: appends, adds a column, appends again, and reads back."""
    table = catalog(asked, token).load_table(asked["table"])
    first = append(table, [row(1, 24, "a@acme.example"), row(2, 25, "b@acme.example")])
    with table.update_schema() as update:
        update.add_column("note", StringType())
    append(table, [row(3, 25, "c@acme.example", note="late")])
    table = table.refresh()
    return {
        "all": table.scan().to_arrow().sort_by("order_id").to_pylist(),
        "then": table.scan(snapshot_id=first).to_arrow().num_rows,
        "one": table.scan(row_filter=EqualTo("order_id", 3)).to_arrow().to_pylist(),
        "columns": [field.name for field in table.schema().fields],
        "partitions": len(table.inspect.partitions()),
    }


def read(asked: dict[str, Any], token: str) -> dict[str, Any]:
    """A team: what it sees, or that it is refused."""
    try:
        table = catalog(asked, token).load_table(asked["table"])
        found = table.scan().to_arrow().num_rows
    except ForbiddenError as error:
        return {"refused": str(error)}
    try:
        append(table, [row(9, 26, "x@acme.example")])
    except (ForbiddenError, OSError) as error:
        return {"rows": found, "write": type(error).__name__}
    return {"rows": found, "write": "done"}


asked = json.load(sys.stdin)
does = {"write": write, "read": read}
told = {who: does[each["do"]](asked, each["token"]) for who, each in asked["who"].items()}
json.dump(told, sys.stdout, default=str)
