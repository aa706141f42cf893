"""Samples of tables that are larger than memory."""

from __future__ import annotations

import pyarrow as pa
import pytest

from model_monitor import sampling


def batches(start: int, count: int, size: int = 100) -> list[pa.RecordBatch]:
    table = pa.table(
        {
            "request_id": [f"r{number}" for number in range(start, start + count)],
            "row": [0] * count,
            "value": list(range(start, start + count)),
        }
    )
    return table.to_batches(max_chunksize=size)


def test_sample_is_the_same_in_whatever_order_files_are_read() -> None:
    forward = sampling.take(batches(0, 5000), 200, 20)
    backward = sampling.take(list(reversed(batches(0, 5000, 77))), 200, 20)
    assert forward.rows == backward.rows == 5000
    assert sorted(forward.table["value"].to_pylist()) == sorted(backward.table["value"].to_pylist())
    other = sampling.take(batches(0, 5000), 200, 21)
    assert other.table["value"] != forward.table["value"], "the seed decides"


@pytest.mark.parametrize("columns", [["request_id", "row", "value"], ["value"]])
def test_every_part_of_a_table_has_the_same_chance(columns: list[str]) -> None:
    sample = sampling.take((batch.select(columns) for batch in batches(0, 20_000)), 2000, 20)
    values = sample.table["value"].to_pylist()
    assert len(set(values)) == 2000
    for tenth in range(10):
        share = sum(1 for value in values if value // 2000 == tenth)
        assert 150 < share < 250, "3.7 standard deviations"


def test_small_table_is_its_sample() -> None:
    assert sorted(sampling.take(batches(0, 30), 200, 20).table["value"].to_pylist()) == list(range(30))
    empty = sampling.take([], 200, 20, schema=pa.schema([("value", pa.int64())]))
    assert (empty.rows, empty.table.column_names) == (0, ["value"])


def test_categories_are_those_of_all_rows_unless_there_are_too_many() -> None:
    sample = sampling.take(batches(0, 5000), 10, 20, categories=["value"], most_categories=5000)
    assert sample.categories["value"] == {str(number) for number in range(5000)}
    assert sampling.take(batches(0, 5000), 10, 20, categories=["value"], most_categories=9).categories == {
        "value": None
    }
