"""Log objects and bodies of KServe's protocols."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from conftest import NOW, logged
from pyarrow import parquet

from model_monitor import payloads, records, tables

ORDER = ["distance", "zone"]


def _strings(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a record as the agent writes it in CSV and Parquet (marshaller_record.go): without its time."""
    stated = {name: value for name, value in entry.items() if name not in ("occurrenceTime", "url")}
    return {**stated, "url": "s3://logs", "annotations": json.dumps(entry["annotations"]), "metadata": "{}"}


def test_batches_of_all_formats_have_the_same_records() -> None:
    entries = [logged("a", {"instances": [[1, "x"]]}), logged("a", {"predictions": [2]}, answer=True)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(_strings(entries[0])))
    writer.writeheader()
    writer.writerows(map(_strings, entries))
    binary = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([_strings(entry) for entry in entries]), binary)
    of_json = records.parse("x.json", json.dumps(entries).encode())
    assert [record.is_request for record in of_json] == [True, False]
    assert of_json[0].version == "1"
    assert of_json[0].time == NOW.replace(microsecond=123456)
    for key, data in (("x.csv", text.getvalue().encode()), ("x.parquet", binary.getvalue())):
        without_time = [records.Record(**{**vars(record), "time": None}) for record in of_json]
        assert records.parse(key, data) == without_time, key
    [single] = records.parse("x.json", json.dumps(entries[0]).encode())
    assert single == of_json[0], "a batch of one record is an object"


def test_time_of_go_is_read_with_its_zone_and_without_a_fraction() -> None:
    entry = {**logged("a", {}), "occurrenceTime": "2026-11-28T01:00:00+01:00"}
    [record] = records.parse("x.json", json.dumps(entry).encode())
    assert record.time == datetime(2026, 11, 28, tzinfo=UTC)
    zero = {**entry, "occurrenceTime": "0001-01-01T00:00:00Z"}
    assert records.parse("x.json", json.dumps(zero).encode())[0].time is None


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("x.json", b"no json"),
        ("x.json", b'{"id": "a"}'),
        ("x.json", json.dumps({**logged("a", {}), "bytes": "???"}).encode()),
        ("x.json", json.dumps({**logged("a", {}), "reqType": "other"}).encode()),
        ("x.json", b"[1]"),
        ("x.parquet", b"PAR1"),
        ("x.avro", b""),
    ],
)
def test_object_of_another_form_is_unreadable(key: str, data: bytes) -> None:
    with pytest.raises(records.UnreadableError):
        records.parse(key, data)


def _tensor(name: str, shape: list[int], data: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP64", "data": data}


ROWS = [{"distance": 1, "zone": 2}, {"distance": 3, "zone": 4}]


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [[1, 2], [3, 4]]},
        {"instances": ROWS},
        {"inputs": {"distance": [1, 3], "zone": [2, 4]}},
        {"inputs": [_tensor("rows", [2, 2], [1, 2, 3, 4])]},
        {"inputs": [_tensor("rows", [2, 2], [[1, 2], [3, 4]])]},
        {"inputs": [_tensor("zone", [2], [2, 4]), _tensor("distance", [2, 1], [1, 3])]},
    ],
)
def test_bodies_of_both_protocols_are_the_same_rows(body: Any) -> None:
    assert payloads.inputs(json.dumps(body).encode(), ORDER, ORDER) == ROWS


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"text", "not_json"),
        (b"[1]", "not_json"),
        (b'{"inputs": [{"parameters": {"binary_data_size": 4}}]}\0\0', "binary"),
        (b"{}", "no_rows"),
        (b'{"instances": []}', "no_rows"),
        (b'{"instances": [[1]]}', "wrong_width"),
        (b'{"instances": [{"other": 1}]}', "unknown_input"),
        (json.dumps({"inputs": [_tensor("rows", [2, 3], [1] * 6)]}).encode(), "wrong_width"),
        (json.dumps({"inputs": [_tensor("rows", [2, 2], [1])]}).encode(), "wrong_width"),
        (json.dumps({"inputs": [_tensor("a", [1], [1]), _tensor("b", [1], [1])]}).encode(), "unknown_input"),
        (json.dumps({"inputs": {"distance": [1], "zone": [1, 2]}}).encode(), "wrong_width"),
        (json.dumps({"instances": [[1, 2]] * 100_001}).encode(), "too_large"),
    ],
)
def test_problem_of_a_body_is_stated(body: bytes, problem: str) -> None:
    with pytest.raises(payloads.ProblemError, match=f"^{problem}$"):
        payloads.inputs(body, ORDER, ORDER)


def test_order_without_a_signature_is_a_problem_and_names_are_none() -> None:
    with pytest.raises(payloads.ProblemError, match="no_signature"):
        payloads.inputs(b'{"instances": [[1, 2]]}', None, ORDER)
    assert payloads.inputs(b'{"instances": [{"zone": 1}]}', None, ORDER) == [{"zone": 1}]


@pytest.mark.parametrize(
    "body",
    [
        {"predictions": [5, 6]},
        {"predictions": [[5], [6]]},
        {"predictions": [{"fare": 5}, {"fare": 6}]},
        {"outputs": [_tensor("output-0", [2], [5, 6])]},
        {"outputs": [_tensor("other", [2], [1, 1]), _tensor("fare", [2, 1], [5, 6])]},
    ],
)
def test_answers_of_both_protocols_are_the_same(body: Any) -> None:
    assert payloads.outputs(json.dumps(body).encode(), ["fare"]) == [{"fare": 5}, {"fare": 6}]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, pa.float64(), 3.0),
        ("3", pa.float64(), None),
        (True, pa.float64(), None),
        (float("nan"), pa.float64(), None),
        (3.0, pa.int64(), 3),
        (3.5, pa.int64(), None),
        (2**63, pa.int64(), None),
        ("12", pa.int64(), 12),
        (3.0, pa.string(), "3"),
        (True, pa.string(), "true"),
        ({}, pa.string(), None),
        ("true", pa.bool_(), True),
        (1, pa.bool_(), True),
        ("x", pa.bool_(), None),
    ],
)
def test_value_of_a_body_has_the_type_of_its_column_or_is_missing(
    value: Any, kind: pa.DataType, expected: Any
) -> None:
    assert tables.converted(value, kind) == expected
