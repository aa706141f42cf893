"""Bodies of KServe's protocols as rows: V1, and V2 (Open Inference).

Values of a body without names are named in the order of the model's signature. Every problem has one of the
words of PROBLEMS, by which requests are counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final

Row = dict[str, Any]

NOT_JSON: Final = "not_json"
BINARY: Final = "binary"
NO_ROWS: Final = "no_rows"
WRONG_WIDTH: Final = "wrong_width"
UNKNOWN_INPUT: Final = "unknown_input"
TOO_LARGE: Final = "too_large"
NO_SIGNATURE: Final = "no_signature"
MOST_ROWS: Final = 100_000
"""Rows of one request."""


class ProblemError(Exception):
    """A body that is not read; the text is its problem."""


def inputs(body: bytes, order: Sequence[str] | None, known: Sequence[str]) -> list[Row]:
    """Return the rows of a request. order: the names of the inputs; None: a body has to state them. known:
    those of which one has to be there. Raises ProblemError."""
    content = _content(body)
    # V1 has `inputs` with columns, V2 with tensors, which have names and shapes.
    entries = content.get("inputs")
    if _are_tensors(entries):
        rows = _tensors(entries, order, known)
    else:
        instances = content.get("instances", entries)
        if isinstance(instances, dict):
            instances = _of_columns(instances)
        if not isinstance(instances, list) or not instances:
            raise ProblemError(NO_ROWS)
        rows = [_named(instance, order, known) for instance in instances]
    if len(rows) > MOST_ROWS:
        raise ProblemError(TOO_LARGE)
    return rows


def outputs(body: bytes, names: Sequence[str]) -> list[Row]:
    """Return the answers of a response, a row for each row of the request. Raises ProblemError."""
    if not names:
        return []
    content = _content(body)
    entries = content.get("outputs")
    if _are_tensors(entries):
        if not any(entry["name"] in names for entry in entries):
            # The server's names of tensors say nothing: by order.
            entries = [{**entry, "name": name} for entry, name in zip(entries, names, strict=False)]
        rows = _tensors([entry for entry in entries if entry["name"] in names], names, names)
    else:
        predictions = content.get("predictions", entries)
        if isinstance(predictions, dict):
            predictions = _of_columns(predictions)
        if not isinstance(predictions, list) or not predictions:
            raise ProblemError(NO_ROWS)
        rows = [_answer(prediction, names) for prediction in predictions]
    return rows


def _content(body: bytes) -> dict[str, Any]:
    if body.count(b"\0", 0, 256) or (body[:1] == b"{" and b"binary_data_size" in body[:4096]):
        raise ProblemError(BINARY)
    try:
        content = json.loads(body)
    except ValueError as error:
        raise ProblemError(NOT_JSON) from error
    if not isinstance(content, dict):
        raise ProblemError(NOT_JSON)
    return content


def _are_tensors(entries: Any) -> bool:
    return (
        isinstance(entries, list)
        and bool(entries)
        and all(isinstance(entry, dict) and {"name", "shape", "data"} <= entry.keys() for entry in entries)
    )


def _tensors(
    entries: Sequence[dict[str, Any]], order: Sequence[str] | None, known: Sequence[str]
) -> list[Row]:
    """Return the rows of tensors: one of all columns, or one for each."""
    columns: dict[str, list[Any]] = {}
    for entry in entries:
        values, shape = _flat(entry["data"]), entry["shape"]
        if not shape or math.prod(shape) != len(values):
            raise ProblemError(WRONG_WIDTH)
        count, width = shape[0], math.prod(shape[1:])
        if count > MOST_ROWS:
            raise ProblemError(TOO_LARGE)
        if width == 1:
            is_only = len(entries) == 1 and order is not None and len(order) == 1
            columns[order[0] if is_only and order else str(entry["name"])] = values
        elif order is None:
            raise ProblemError(NO_SIGNATURE)
        elif len(entries) > 1 or width != len(order):
            raise ProblemError(WRONG_WIDTH)
        else:
            columns = {name: values[at::width] for at, name in enumerate(order)}
        if not count:
            raise ProblemError(NO_ROWS)
    if not set(columns) & set(known):
        raise ProblemError(UNKNOWN_INPUT)
    return _rows(columns)


def _flat(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise ProblemError(WRONG_WIDTH)
    values = data
    while values and isinstance(values[0], list):
        if not all(isinstance(entry, list) for entry in values):
            raise ProblemError(WRONG_WIDTH)
        values = [value for entry in values for value in entry]
    return values


def _of_columns(columns: dict[str, Any]) -> list[Row]:
    if not all(isinstance(values, list) for values in columns.values()):
        raise ProblemError(NO_ROWS)
    return _rows(columns)


def _rows(columns: dict[str, list[Any]]) -> list[Row]:
    if len({len(values) for values in columns.values()}) != 1:
        raise ProblemError(WRONG_WIDTH)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _named(instance: Any, order: Sequence[str] | None, known: Sequence[str]) -> Row:
    if isinstance(instance, dict):
        if not instance.keys() & set(known):
            raise ProblemError(UNKNOWN_INPUT)
        return instance
    if order is None:
        raise ProblemError(NO_SIGNATURE)
    values = instance if isinstance(instance, list) else [instance]
    if len(values) != len(order):
        raise ProblemError(WRONG_WIDTH)
    return dict(zip(order, values, strict=True))


def _answer(prediction: Any, names: Sequence[str]) -> Row:
    if isinstance(prediction, dict):
        return prediction
    values = prediction if isinstance(prediction, list) else [prediction]
    return dict(zip(names, values, strict=False))
