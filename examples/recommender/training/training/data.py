"""Examples of a pinned snapshot: what a user did until a moment, and what they clicked next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from pyiceberg.catalog import load_catalog

COLUMNS = ("user_id", "moment", "recent_items", "next_items")


@dataclass(frozen=True)
class Examples:
    """histories, answers: items of each example, such as `i7 i12`. ages: how long before the last moment, in
    hours."""

    histories: pd.Series
    answers: pd.Series
    ages: np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Split:
    """known: examples whose answers were known before the last moment. held_back: those of the last moment,
    which no training reads. last: this moment."""

    known: Examples
    held_back: Examples
    last: datetime


def read(table: str, snapshot: str) -> Split:
    """Return the examples of a snapshot, split by time. Raises ValueError for an unknown snapshot, and for
    one with fewer than two moments."""
    loaded = load_catalog().load_table(table)
    if loaded.snapshot_by_id(int(snapshot)) is None:
        raise ValueError(f"{table}: no snapshot {snapshot}")
    return split(loaded.scan(snapshot_id=int(snapshot), selected_fields=COLUMNS).to_pandas())


def split(rows: pd.DataFrame) -> Split:
    """Split rows by time: a user's later clicks are never part of the training."""
    if rows["moment"].nunique() < 2:
        raise ValueError(
            f"{rows['moment'].nunique()} moments; expected two or more, the last one for the evaluation"
        )
    # The same order whatever the files of the table are.
    ordered = rows.sort_values(["moment", "user_id"], ignore_index=True)
    last = ordered["moment"].iloc[-1]
    is_last = ordered["moment"] == last

    def part(mask: Any) -> Examples:
        chosen = ordered[mask]
        ages = (last - chosen["moment"]).dt.total_seconds().to_numpy(dtype=np.float64) / 3600
        return Examples(chosen["recent_items"], chosen["next_items"], ages)

    return Split(part(~is_last), part(is_last), last.to_pydatetime())
