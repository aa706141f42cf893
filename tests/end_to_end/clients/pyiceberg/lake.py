"""Use a lakehouse as a pipeline and as teams, by PyIceberg: JSON on stdin, JSON on stdout.

The payload has the lakehouse's outputs, a table, and for each action its identity (AWS's variables).
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

import boto3
import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import ForbiddenError
from pyiceberg.table import Table
from pyiceberg.types import StringType

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]


def row(order: int, day: int, email: str, **more: str) -> dict[str, Any]:
    """Return an order."""
    return {"order_id": order, "placed_at": datetime(2026, 11, day, 9, tzinfo=UTC), "email": email, **more}


def append(table: Table, rows: list[dict[str, Any]]) -> int:
    """Append rows in the table's schema; return the new snapshot's id."""
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return snapshot.snapshot_id


def as_writer(payload: dict[str, Any]) -> Catalog:
    """Return Glue's catalog as the lakehouse's writer role, which may access the files."""
    session = boto3.client("sts").assume_role(
        RoleArn=payload["lake"]["writer_role_arn"], RoleSessionName="pipeline"
    )
    key = session["Credentials"]
    return load_catalog(
        "lake",
        **{
            "type": "glue",
            "client.region": payload["lake"]["region"],
            "client.access-key-id": key["AccessKeyId"],
            "client.secret-access-key": key["SecretAccessKey"],
            "client.session-token": key["SessionToken"],
            "glue.endpoint": ENDPOINT,
            "s3.endpoint": ENDPOINT,
        },
    )


def by_rest(payload: dict[str, Any]) -> Catalog:
    """Return Glue's Iceberg REST catalog as the current identity: files by credentials that it vends."""
    region = payload["lake"]["region"]
    return load_catalog(
        "lake",
        **{
            "type": "rest",
            "uri": f"{ENDPOINT}/iceberg",
            "warehouse": payload["lake"]["catalog_id"],
            "rest.sigv4-enabled": "true",
            "rest.signing-name": "glue",
            "rest.signing-region": region,
            "client.region": region,
            "s3.endpoint": ENDPOINT,
        },
    )


def order_ids(table: Table, **scan: Any) -> list[int]:
    """Return the ids of the orders that a scan reads."""
    rows = table.scan(selected_fields=("order_id",), **scan).to_arrow()
    return sorted(rows["order_id"].to_pylist())


def write(payload: dict[str, Any]) -> dict[str, Any]:
    """Append, evolve the schema, and append in the new one."""
    table = as_writer(payload).load_table(payload["table"])
    first = append(table, [row(1, 1, "a@x.example"), row(2, 1, "b@x.example"), row(3, 2, "c@x.example")])
    with table.update_schema() as change:
        change.add_column("country", StringType())
    append(table, [row(4, 3, "d@x.example", country="DE")])
    return {"first": first, **read(as_writer(payload).load_table(payload["table"]), first)}


def read(table: Table, first: int) -> dict[str, Any]:
    """Return what a table has: all rows, by filters on partitions and columns, and at the first snapshot."""
    return {
        "columns": [field.name for field in table.schema().fields],
        "all": order_ids(table),
        "second_day": order_ids(
            table,
            row_filter="placed_at >= '2026-11-02T00:00:00+00:00' and placed_at < '2026-11-03T00:00:00+00:00'",
        ),
        "of_country": order_ids(table, row_filter="country = 'DE'"),
        "at_first": order_ids(table, snapshot_id=first),
        "days": sorted(
            str(partition["partition"]["placed_at_day"])
            for partition in table.inspect.partitions().to_pylist()
        ),
        "files_of_second_day": len(
            list(table.scan(row_filter="placed_at = '2026-11-02T09:00:00+00:00'").plan_files())
        ),
    }


def read_as_writer(payload: dict[str, Any]) -> dict[str, Any]:
    """Read by Glue's catalog."""
    return read(as_writer(payload).load_table(payload["table"]), payload["first"])


def read_by_rest(payload: dict[str, Any]) -> dict[str, Any]:
    """Read by the REST endpoint, or return the error."""
    try:
        catalog = by_rest(payload)
        tables = [".".join(identifier) for identifier in catalog.list_tables(payload["table"].split(".")[0])]
        return {"tables": tables, **read(catalog.load_table(payload["table"]), payload["first"])}
    except ForbiddenError as error:
        return {"refused": str(error)}


def append_by_rest(payload: dict[str, Any]) -> dict[str, Any]:
    """Commit by the REST endpoint, or return the error."""
    table = by_rest(payload).load_table(payload["table"])
    try:
        append(table, [row(9, 9, "i@x.example")])
    except (ForbiddenError, OSError) as error:
        return {"refused": str(error)}
    return {"all": order_ids(table)}


def append_as_writer(payload: dict[str, Any]) -> dict[str, Any]:
    """Append rows of texts, each cast to its column's type; return the number of rows."""
    table = as_writer(payload).load_table(payload["table"])
    schema = table.schema().as_arrow()
    texts = pa.schema([pa.field(field.name, pa.string()) for field in schema])
    table.append(pa.Table.from_pylist(payload["rows"], schema=texts).cast(schema))
    return {"rows": table.scan().to_arrow().num_rows}


def snapshots_as_writer(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the ids of the snapshots, the oldest first, and the rows of the newest by a key."""
    table = as_writer(payload).load_table(payload["table"])
    rows = table.scan().to_arrow().sort_by(payload["key"]).to_pylist()
    return {"snapshots": [snapshot.snapshot_id for snapshot in table.snapshots()], "rows": rows}


def load_by_rest(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the columns and the number of rows by the REST endpoint, or the error."""
    try:
        table = by_rest(payload).load_table(payload["table"])
        rows = table.scan().to_arrow()
    except (ForbiddenError, OSError) as error:
        return {"refused": str(error)}
    return {"columns": rows.column_names, "rows": rows.num_rows}


ACTIONS = {
    action.__name__: action
    for action in (
        write,
        read_as_writer,
        read_by_rest,
        append_by_rest,
        append_as_writer,
        snapshots_as_writer,
        load_by_rest,
    )
}


def answer(payload: dict[str, Any]) -> dict[str, Any]:
    """Run one action, as its identity."""
    os.environ.update(payload["identity"])
    boto3.setup_default_session()
    return ACTIONS[payload["do"]](payload)


if __name__ == "__main__":
    payload = json.load(sys.stdin)
    json.dump({"answers": [answer({**payload, **request}) for request in payload["asks"]]}, sys.stdout)
