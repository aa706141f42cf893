"""The rows of a shard, and the commit of all predictions."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.table import Table

RUN = "ai-platform.run"
"""The property of a snapshot that names the run which made it."""


def pinned(table: Table, name: str) -> int:
    """Return the id of a snapshot by its id, tag or branch. Raises ValueError where the table has no such."""
    snapshot = table.snapshot_by_id(int(name)) if name.isdigit() else table.snapshot_by_name(name)
    if snapshot is None:
        raise ValueError(f"{'.'.join(table.name())}: no snapshot {name}")
    return snapshot.snapshot_id


def rows(name: str, snapshot: str, columns: Sequence[str], shard: int, shards: int) -> pa.Table:
    """Return the rows of a shard: every file of the snapshot belongs to exactly one, on each start to the
    same."""
    table = load_catalog().load_table(name)
    scan = table.scan(snapshot_id=pinned(table, snapshot), selected_fields=tuple(columns))
    files = sorted(scan.plan_files(), key=lambda task: task.file.file_path)
    reader = ArrowScan(table.metadata, table.io, scan.projection(), scan.row_filter)
    return reader.to_table(files[shard::shards])


def committed(table: Table, run: str) -> bool:
    """Whether the table has the predictions of a run."""
    return any(
        (snapshot.summary.additional_properties if snapshot.summary else {}).get(RUN) == run
        for snapshot in table.snapshots()
    )


def commit(name: str, run: str, parts: Sequence[pa.Table]) -> bool:
    """Append the predictions of all shards in one commit, once for a run. Returns whether this call did."""
    table = load_catalog().load_table(name)
    if committed(table, run):
        return False
    predictions = pa.concat_tables(parts).select(table.schema().column_names)
    table.append(predictions.cast(table.schema().as_arrow()), snapshot_properties={RUN: run})
    return True
