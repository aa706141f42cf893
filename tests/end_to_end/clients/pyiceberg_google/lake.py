"""Use a table of a lakehouse on Google Cloud by PyIceberg.

JSON on stdin, JSON on stdout. The payload has the lakehouse's outputs, the address of Google's APIs, the
table, and `asks`: an access token, an action and its arguments each. Prints the answers in the same order.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table
from pyiceberg.types import StringType

payload: dict[str, Any] = json.load(sys.stdin)


def load(token: str) -> Table:
    """Load the table by the catalog's REST endpoint: files by credentials that it vends."""
    lake, google = payload["lake"], payload["google"]
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
    ).load_table(payload["table"])


def _append(table: Table, rows: list[dict[str, Any]]) -> int:
    """Append rows in the table's schema; return the new snapshot's id. Times are texts in ISO 8601."""
    schema = table.schema().as_arrow()
    times = {field.name for field in schema if pa.types.is_timestamp(field.type)}
    typed = [
        {name: datetime.fromisoformat(value) if name in times else value for name, value in row.items()}
        for row in rows
    ]
    table.append(pa.Table.from_pylist(typed, schema=schema))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return snapshot.snapshot_id


def append(table: Table, ask: dict[str, Any]) -> dict[str, Any]:
    """Append rows."""
    _append(table, ask["rows"])
    return {"rows": table.scan().to_arrow().num_rows}


def read(table: Table, ask: dict[str, Any]) -> dict[str, Any]:
    """Read a column of all rows."""
    return {"values": sorted(table.scan().to_arrow()[ask["column"]].to_pylist())}


def evolve(table: Table, ask: dict[str, Any]) -> dict[str, Any]:
    """Append, add a column, append again, and read back, as a pipeline does."""

    def row(order: int, day: int, email: str, **more: str) -> dict[str, Any]:
        placed_at = datetime(2026, 11, day, 9, tzinfo=UTC).isoformat()
        return {"order_id": order, "placed_at": placed_at, "email": email, **more}

    first = _append(table, [row(1, 24, "a@acme.example"), row(2, 25, "b@acme.example")])
    with table.update_schema() as update:
        update.add_column("note", StringType())
    _append(table, [row(3, 25, "c@acme.example", note="late")])
    table = table.refresh()
    return {
        "all": table.scan().to_arrow().sort_by("order_id").to_pylist(),
        "then": table.scan(snapshot_id=first).to_arrow().num_rows,
        "one": table.scan(row_filter=EqualTo("order_id", 3)).to_arrow().to_pylist(),
        "columns": [field.name for field in table.schema().fields],
        "partitions": len(table.inspect.partitions()),
    }


def answer(ask: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a request, or its error."""
    try:
        return ACTIONS[ask["do"]](load(ask["token"]), ask)
    except Exception as error:  # noqa: BLE001 - any error is an answer
        return {"refused": f"{type(error).__name__}: {error}"}


ACTIONS = {"append": append, "evolve": evolve, "read": read}
json.dump({"answers": [answer(ask) for ask in payload["asks"]]}, sys.stdout, default=str)
