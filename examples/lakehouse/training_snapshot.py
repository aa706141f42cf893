"""A training run that can be repeated: it tags the snapshot that it reads, and reads by that tag.

    pip install "pyiceberg[glue,pyarrow]"
    pulumi stack output lakehouse --json > lake.json
    python training_snapshot.py lake.json acme_dev_curated.orders training-2026-11-25

It assumes the lakehouse's writer role, as pipelines do. The name is an Iceberg tag: while it exists,
maintenance keeps the snapshot's files. It expires after 90 days. Athena reads by it as well:
SELECT * FROM orders FOR VERSION AS OF 'training-2026-11-25'. Declare a snapshot that must be kept for longer
under `snapshots` of the lakehouse instead.
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
    """Return the lakehouse's catalog, with credentials of its writer role. lake: the component's outputs."""
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
    """Tag the newest snapshot, unless the tag exists; return the id of the tagged snapshot."""
    snapshot = table.snapshot_by_name(name)
    if snapshot is None:
        snapshot = table.current_snapshot()
        if snapshot is None:
            raise ValueError(f"{table.name()} has no rows yet")
        table.manage_snapshots().create_tag(snapshot.snapshot_id, name, max_ref_age_ms=KEEP_MS).commit()
        table.refresh()
    return snapshot.snapshot_id


def rows(table: Table, name: str) -> Any:
    """Return the rows of a tagged snapshot, in the schema of its time."""
    snapshot = table.snapshot_by_name(name)
    if snapshot is None:
        raise ValueError(f"{table.name()} has no snapshot {name}")
    return table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()


if __name__ == "__main__":
    outputs, table_name, run = sys.argv[1:]
    table = as_writer(json.loads(Path(outputs).read_text())).load_table(table_name)
    snapshot = pin(table, run)
    json.dump({"snapshot": snapshot, "rows": rows(table, run).num_rows}, sys.stdout)
