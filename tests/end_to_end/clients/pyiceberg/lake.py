"""What a pipeline and a team do with a lakehouse by PyIceberg: JSON on stdin, JSON on stdout.

Told: the lakehouse's outputs, a table of theirs, and for each deed who does it (AWS's own variables).
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
    """An order."""
    return {"order_id": order, "placed_at": datetime(2026, 11, day, 9, tzinfo=UTC), "email": email, **more}


def append(table: Table, rows: list[dict[str, Any]]) -> int:
    """Append rows in the table's own schema; the new snapshot's id."""
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return snapshot.snapshot_id


def as_writer(asked: dict[str, Any]) -> Catalog:
    """Glue's catalog as the lakehouse's writer role, which has rights on the files."""
    given = boto3.client("sts").assume_role(
        RoleArn=asked["lake"]["writer_role_arn"], RoleSessionName="pipeline"
    )
    key = given["Credentials"]
    return load_catalog(
        "lake",
        **{
            "type": "glue",
            "client.region": asked["lake"]["region"],
            "client.access-key-id": key["AccessKeyId"],
            "client.secret-access-key": key["SecretAccessKey"],
            "client.session-token": key["SessionToken"],
            "glue.endpoint": ENDPOINT,
            "s3.endpoint": ENDPOINT,
        },
    )


def by_rest(asked: dict[str, Any]) -> Catalog:
    """Glue's Iceberg REST endpoint as whoever this is: the files come by credentials that it hands out."""
    region = asked["lake"]["region"]
    return load_catalog(
        "lake",
        **{
            "type": "rest",
            "uri": f"{ENDPOINT}/iceberg",
            "warehouse": asked["lake"]["catalog_id"],
            "rest.sigv4-enabled": "true",
            "rest.signing-name": "glue",
            "rest.signing-region": region,
            "client.region": region,
            "s3.endpoint": ENDPOINT,
        },
    )


def shown(table: Table, **scan: Any) -> list[int]:
    """The orders that a scan finds."""
    found = table.scan(selected_fields=("order_id",), **scan).to_arrow()
    return sorted(found["order_id"].to_pylist())


def write(asked: dict[str, Any]) -> dict[str, Any]:
    """Append, evolve the schema, append in the new one."""
    table = as_writer(asked).load_table(asked["table"])
    first = append(table, [row(1, 1, "a@x.example"), row(2, 1, "b@x.example"), row(3, 2, "c@x.example")])
    with table.update_schema() as change:
        change.add_column("country", StringType())
    append(table, [row(4, 3, "d@x.example", country="DE")])
    return {"first": first, **read(as_writer(asked).load_table(asked["table"]), first)}


def read(table: Table, first: int) -> dict[str, Any]:
    """What is in a table: all of it, by filters that partitions and columns answer, and as it was."""
    return {
        "columns": [field.name for field in table.schema().fields],
        "all": shown(table),
        "second_day": shown(
            table,
            row_filter="placed_at >= '2026-11-02T00:00:00+00:00' and placed_at < '2026-11-03T00:00:00+00:00'",
        ),
        "of_country": shown(table, row_filter="country = 'DE'"),
        "at_first": shown(table, snapshot_id=first),
        "days": sorted(
            str(each["partition"]["placed_at_day"]) for each in table.inspect.partitions().to_pylist()
        ),
        "files_of_second_day": len(
            list(table.scan(row_filter="placed_at = '2026-11-02T09:00:00+00:00'").plan_files())
        ),
    }


def read_as_writer(asked: dict[str, Any]) -> dict[str, Any]:
    """By Glue's catalog."""
    return read(as_writer(asked).load_table(asked["table"]), asked["first"])


def read_by_rest(asked: dict[str, Any]) -> dict[str, Any]:
    """By the REST endpoint, or how it is refused."""
    try:
        catalog = by_rest(asked)
        tables = [".".join(each) for each in catalog.list_tables(asked["table"].split(".")[0])]
        return {"tables": tables, **read(catalog.load_table(asked["table"]), asked["first"])}
    except ForbiddenError as error:
        return {"refused": str(error)}


def append_by_rest(asked: dict[str, Any]) -> dict[str, Any]:
    """A commit by the REST endpoint, or how it is refused."""
    table = by_rest(asked).load_table(asked["table"])
    try:
        append(table, [row(9, 9, "i@x.example")])
    except (ForbiddenError, OSError) as error:
        return {"refused": str(error)}
    return {"all": shown(table)}


def append_as_writer(asked: dict[str, Any]) -> dict[str, Any]:
    """Append rows of texts, each cast to its column's type; how many rows there are then."""
    table = as_writer(asked).load_table(asked["table"])
    schema = table.schema().as_arrow()
    texts = pa.schema([pa.field(each.name, pa.string()) for each in schema])
    table.append(pa.Table.from_pylist(asked["rows"], schema=texts).cast(schema))
    return {"rows": table.scan().to_arrow().num_rows}


def load_by_rest(asked: dict[str, Any]) -> dict[str, Any]:
    """The columns and rows that the REST endpoint gives of a table, or how it is refused."""
    try:
        table = by_rest(asked).load_table(asked["table"])
        found = table.scan().to_arrow()
    except (ForbiddenError, OSError) as error:
        return {"refused": str(error)}
    return {"columns": found.column_names, "rows": found.num_rows}


DEEDS = {
    each.__name__: each
    for each in (write, read_as_writer, read_by_rest, append_by_rest, append_as_writer, load_by_rest)
}


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """One deed, as whoever it is for."""
    os.environ.update(asked["identity"])
    boto3.setup_default_session()
    return DEEDS[asked["do"]](asked)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump({"answers": [answer({**given, **each}) for each in given["asks"]]}, sys.stdout)
