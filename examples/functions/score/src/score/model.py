"""A released model: its file and its signature, and the answer to a request.

The release is a folder of the model store: `model.onnx`, and `signature.json` with the names of the inputs in
order. ONNX is a graph of operators: to load it runs no code of the file, as to load a pickle would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnxruntime

MOST_ROWS = 100
Read = Callable[[str], bytes]
"""Returns the content of a file of the release."""


class RequestError(Exception):
    """A request that the model cannot answer. Its text is the answer."""


class Model:
    """A model of ONNX with one input, a matrix of float32: what skl2onnx writes of an estimator."""

    def __init__(self, read: Read, version: str) -> None:
        """Load the model. read: of its release. version: which answers state."""
        options = onnxruntime.SessionOptions()
        # An instance has one request and one CPU.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            read("model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._names: list[str] = json.loads(read("signature.json"))["inputs"]
        self._input: str = self._session.get_inputs()[0].name
        self._version = version

    def answer(self, body: bytes) -> dict[str, Any]:
        """Return the predictions for a request: `{"rows": [{"amount": 12.5, ...}]}`. Raises RequestError."""
        rows = self._rows(body)
        outputs = self._session.run(None, {self._input: np.asarray(rows, dtype=np.float32)})
        return {"version": self._version, "predictions": np.asarray(outputs[0]).reshape(len(rows)).tolist()}

    def _rows(self, body: bytes) -> list[list[float]]:
        try:
            rows = json.loads(body)["rows"]
        except (ValueError, KeyError, TypeError) as error:
            raise RequestError('expected {"rows": [{...}]}') from error
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
            raise RequestError(f"rows: expected 1 to {MOST_ROWS}")
        return [self._row(row, position) for position, row in enumerate(rows)]

    def _row(self, row: object, position: int) -> list[float]:
        if not isinstance(row, Mapping) or row.keys() != set(self._names):
            raise RequestError(f"rows[{position}]: expected the keys {', '.join(self._names)}")
        values = [row[name] for name in self._names]
        for name, value in zip(self._names, values, strict=True):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise RequestError(f"rows[{position}].{name}: got {value!r}; expected a number")
        return [float(value) for value in values]
