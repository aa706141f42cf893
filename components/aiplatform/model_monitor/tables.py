"""The columns that tables of a monitor have, by the contract of `containers/model_monitor`. The lakehouse
declares the tables; the program creates none. Pure."""

from collections.abc import Mapping
from typing import Final

REQUESTS: Final[Mapping[str, str]] = {
    "request_id": "string",
    "row": "int",
    "time": "timestamptz",
    "version": "string",
    "inference_service": "string",
    "object": "string",
    "problem": "string",
}
"""Name -> type of the columns of `requests_table`, in addition to those of the monitor: inputs and answers, a
number as `double` and a category as `string`, and keys as `string`."""
OF_TYPE: Final[Mapping[str, str]] = {"number": "double", "category": "string"}
"""Type of a monitored column -> its type in `requests_table`."""
RESULTS: Final[Mapping[str, str]] = {
    "run_id": "string",
    "team": "string",
    "model": "string",
    "version": "string",
    "created_at": "timestamptz",
    "window_start": "timestamptz",
    "window_end": "timestamptz",
    "baseline_table": "string",
    "baseline_snapshot": "long",
    "requests_snapshot": "long",
    "rows": "long",
    "other_rows": "long",
    "problem_rows": "long",
    "sample_rows": "long",
    "baseline_rows": "long",
    "seed": "long",
    "status": "string",
    "drifted_columns": "int",
    "columns": "int",
    "scores": "string",
    "quality_metric": "string",
    "quality": "double",
    "quality_reference": "double",
    "quality_rows": "long",
    "report": "string",
    "event": "string",
}
"""Name -> type of the columns of `results_table`."""
