"""A training run that can be repeated: it gives the snapshot that it reads a name, and reads by that name.

    pip install "pyiceberg[glue,pyarrow]"
    pulumi stack output lakehouse --json > lake.json
    python training_snapshot.py lake.json acme_dev_curated.orders training-2026-11-25

It works as the lakehouse's writer role, which pipelines may become. The name is an Iceberg tag: while it is
there, no upkeep takes the snapshot's files away, and it goes by itself after 90 days. Athena reads by it as
well: SELECT * FROM orders FOR VERSION AS OF 'training-2026-11-25'. What must be kept for longer is declared
instead, under `snapshots` of the lakehouse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.table import Table

KEEP_MS = 90 * 24 * 60 * 60 * 1000


def as_writer(lake: dict[str, Any], **properties: str) -> Catalog:
    """The lakehouse's catalog, as its writer role. lake: the component's outputs."""
    role = {"RoleArn": lake["writer_role_arn"], "RoleSessionName": "training"}
    key = boto3.client("sts", region_name=lake["region"]).assume_role(**role)["Credentials"]
    return load_catalog(
        "lake",
        **{
            "type": "glue",
            "client.region": lake["region"],
            "client.access-key-id": key["AccessKeyId"],
            "client.secret-access-key": key["SecretAccessKey"],
            "client.session-token": key["SessionToken"],
            **properties,
        },
    )


def pin(table: Table, name: str) -> int:
    """Name the newest snapshot, unless the name is taken: then it is that one's. The id is for the log."""
    there = table.snapshot_by_name(name)
    if there is None:
        there = table.current_snapshot()
        if there is None:
            raise ValueError(f"{table.name()} has no rows yet")
        table.manage_snapshots().create_tag(there.snapshot_id, name, max_ref_age_ms=KEEP_MS).commit()
        table.refresh()
    return there.snapshot_id


def rows(table: Table, name: str) -> Any:
    """What the run reads, today and later, as a pyarrow table: in the schema of that time."""
    there = table.snapshot_by_name(name)
    if there is None:
        raise ValueError(f"{table.name()} has no snapshot {name}")
    return table.scan(snapshot_id=there.snapshot_id).to_arrow()


if __name__ == "__main__":
    outputs, table_name, run = sys.argv[1:]
    found = as_writer(json.loads(Path(outputs).read_text())).load_table(table_name)
    snapshot = pin(found, run)
    json.dump({"snapshot": snapshot, "rows": rows(found, run).num_rows}, sys.stdout)
