"""Validate a batch before it is scored: `{"table": "trips", "rows": 120}`."""

from __future__ import annotations

from typing import Any

MOST_ROWS = 1_000_000


class InvalidBatchError(Exception):
    """A batch that must not be scored."""


def validate(batch: dict[str, Any]) -> dict[str, Any]:
    """Return the batch. Raises InvalidBatchError."""
    if not batch.get("table"):
        raise InvalidBatchError("the batch has no table")
    if not 0 < batch.get("rows", 0) <= MOST_ROWS:
        raise InvalidBatchError(f"got {batch.get('rows')} rows; expected 1 to {MOST_ROWS}")
    return batch


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle a call of Lambda."""
    return validate(event)
