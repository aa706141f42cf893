"""Answers of a model, and requests that are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from example import release

from score.model import MOST_ROWS, Model, RequestError


def model() -> Model:
    return Model(release().__getitem__, "3")


def test_rows_become_predictions_in_their_order() -> None:
    rows = [{"amount": 10, "age": 1}, {"age": 3.5, "amount": 2}]
    answer = model().answer(json.dumps({"rows": rows}).encode())
    assert answer == {"version": "3", "predictions": [6.0, 4.5]}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ([], "expected {"),
        ({"row": []}, "expected {"),
        ({"rows": []}, "expected 1 to"),
        ({"rows": [{"amount": 1, "age": 1}] * (MOST_ROWS + 1)}, "expected 1 to"),
        ({"rows": [{"amount": 1}]}, "expected the keys amount, age"),
        ({"rows": [[1, 2]]}, "expected the keys"),
        ({"rows": [{"amount": "1", "age": 1}]}, "expected a number"),
        ({"rows": [{"amount": True, "age": 1}]}, "expected a number"),
    ],
)
def test_a_wrong_request_has_a_reason(request_: Any, reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        model().answer(json.dumps(request_).encode())


def test_a_request_that_is_no_json_has_a_reason() -> None:
    with pytest.raises(RequestError, match="expected"):
        model().answer(b"{")
