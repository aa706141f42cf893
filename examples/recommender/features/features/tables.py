"""Tables of Iceberg by the default catalog of PyIceberg, which the team's configuration states."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import AlwaysTrue, GreaterThanOrEqual


def read(name: str, column: str | None = None, since: datetime | None = None) -> pd.DataFrame:
    """Return the rows of a table; with `since` those whose time in a column is it or later."""
    where = GreaterThanOrEqual(column, since.isoformat()) if column and since else AlwaysTrue()
    return load_catalog().load_table(name).scan(row_filter=where).to_pandas()


def last(name: str, column: str) -> datetime | None:
    """Return the latest time in a column; None for a table without rows."""
    times: Any = load_catalog().load_table(name).scan(selected_fields=(column,)).to_arrow()[column]
    return compute.max(times).as_py()


def append(name: str, rows: pd.DataFrame) -> int:
    """Append rows in one commit, unless another one was since the table was loaded: then
    CommitFailedException is raised, and the step is repeated. Returns the id of the table's snapshot."""
    table = load_catalog().load_table(name)
    if len(rows):
        table.metadata.properties["commit.retry.num-retries"] = "0"  # of this copy
        table.append(pa.Table.from_pandas(rows, schema=table.schema().as_arrow(), preserve_index=False))
    snapshot = table.current_snapshot()
    return snapshot.snapshot_id if snapshot else 0
