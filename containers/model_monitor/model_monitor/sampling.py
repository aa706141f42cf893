"""Samples of tables that are larger than memory, in one pass over batches of rows.

Each row has a random number; the rows with the smallest ones are kept. So every row has the same chance,
whatever the size of the table, and little more than the sample is in memory. The numbers of requests come
from their ids: the sample is the same in whatever order files are read. Those of a table without ids come
from the seed, in the order of its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


@dataclass
class Sample:
    """rows: read. table: the sampled ones. categories: column -> its values in all rows read, or None for
    more than `most_categories`."""

    rows: int
    table: pa.Table
    categories: dict[str, set[str] | None] = field(default_factory=dict)


def keys_of(ids: pa.Array, positions: pa.Array, seed: int) -> np.ndarray:
    """Return a number for each request's row that depends on its id, its position and the seed only."""
    # Ids are all different: to look for equal ones first would only take time.
    of_ids = pd.util.hash_array(ids.to_numpy(False), hash_key=f"{seed:016d}", categorize=False)
    return of_ids ^ pd.util.hash_array(positions.to_numpy(False))


def take(
    batches: Iterable[pa.RecordBatch],
    size: int,
    seed: int,
    *,
    schema: pa.Schema | None = None,
    categories: Sequence[str] = (),
    most_categories: int = 10_000,
) -> Sample:
    """Return a sample of at most `size` rows. schema: of the result where there are no rows."""
    random = np.random.default_rng(seed)
    known: dict[str, set[str] | None] = {name: set() for name in categories}
    kept: pa.Table | None = None
    numbers = np.array([], dtype=np.uint64)
    limit: np.uint64 | None = None
    rows = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        rows += batch.num_rows
        by_id = {"request_id", "row"} <= set(batch.schema.names)
        new = (
            keys_of(batch["request_id"], batch["row"], seed)
            if by_id
            else random.integers(0, 2**64, batch.num_rows, dtype=np.uint64)
        )
        for name in categories:
            _add(known, name, batch[name], most_categories)
        # A row above the largest number kept is out: it is not copied.
        chosen = np.ones(len(new), dtype=bool) if limit is None else new < limit
        part = pa.Table.from_batches([batch]).filter(pa.array(chosen))
        kept = part if kept is None else pa.concat_tables([kept, part], promote_options="permissive")
        numbers = np.concatenate([numbers, new[chosen]])
        if len(numbers) > size + size // 4:
            kept, numbers = _smallest(kept, numbers, size)
            limit = numbers.max()
    if kept is None:
        kept = schema.empty_table() if schema is not None else pa.table({})
    else:
        kept, numbers = _smallest(kept, numbers, size)
        kept = kept.take(pa.array(np.argsort(numbers, kind="stable")))
    return Sample(rows, kept, known)


def _smallest(rows: pa.Table, numbers: np.ndarray, size: int) -> tuple[pa.Table, np.ndarray]:
    if len(numbers) <= size:
        return rows, numbers
    places = np.argpartition(numbers, size - 1)[:size]
    return rows.take(pa.array(places)).combine_chunks(), numbers[places]


def _add(known: dict[str, set[str] | None], name: str, values: pa.Array, most: int) -> None:
    from model_monitor.tables import text_of

    current = known[name]
    if current is None:
        return
    current |= {text for value in pc.unique(values).to_pylist() if (text := text_of(value)) is not None}
    if len(current) > most:
        known[name] = None
