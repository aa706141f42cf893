"""The rows of a table at a pinned snapshot, by the platform's Iceberg catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyiceberg.catalog import load_catalog
from pyiceberg.table import Table

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Features (rows x columns) and labels (0 or 1) of a snapshot. snapshot: its id."""

    snapshot: int
    features: Numbers
    labels: Numbers


def pinned(table: Table, name: str) -> int:
    """Return the id of a snapshot by its id, tag or branch. Raises ValueError where the table has no such."""
    snapshot = table.snapshot_by_id(int(name)) if name.isdigit() else table.snapshot_by_name(name)
    if snapshot is None:
        raise ValueError(f"{'.'.join(table.name())}: no snapshot {name}")
    return snapshot.snapshot_id


def read(name: str, snapshot: str, columns: Sequence[str], label: str, key: str) -> Rows:
    """Read columns of a snapshot. key: the column by whose order the rows are returned, so that each process
    and each start sees the same."""
    table = load_catalog().load_table(name)
    snapshot_id = pinned(table, snapshot)
    fields = tuple(dict.fromkeys((key, *columns, label)))
    rows = table.scan(snapshot_id=snapshot_id, selected_fields=fields).to_arrow().sort_by(key)
    features = np.column_stack([rows[column].to_numpy().astype(np.float64) for column in columns])
    return Rows(snapshot_id, features, rows[label].to_numpy().astype(np.float64))
