"""Count the rows of a table's files, one task for each: the program of the RayJob."""

from __future__ import annotations

import sys

import ray
from pyiceberg.catalog import load_catalog
from pyiceberg.io.pyarrow import ArrowScan


@ray.remote
def rows(table: str, snapshot: int, path: str) -> int:
    """Return the rows of one file of a snapshot."""
    loaded = load_catalog().load_table(table)
    scan = loaded.scan(snapshot_id=snapshot)
    [task] = [task for task in scan.plan_files() if task.file.file_path == path]
    return ArrowScan(loaded.metadata, loaded.io, scan.projection(), scan.row_filter).to_table([task]).num_rows


if __name__ == "__main__":
    name, number = sys.argv[1], int(sys.argv[2])
    ray.init()
    files = load_catalog().load_table(name).scan(snapshot_id=number).plan_files()
    counts = ray.get([rows.remote(name, number, task.file.file_path) for task in files])
    sys.stdout.write(f"{sum(counts)} rows\n")
