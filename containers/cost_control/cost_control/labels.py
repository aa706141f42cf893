"""The label by which a user leaves a queue or a workload out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

KEEP: Final = "ai-platform/keep-running"
"""`true`, or the last day, `2026-12-24`."""


def is_kept(labels: Mapping[str, str] | None, today: date) -> bool:
    """Return whether labels leave something out. A value of another form does not."""
    value = (labels or {}).get(KEEP, "")
    if value == "true":
        return True
    try:
        return today <= date.fromisoformat(value)
    except ValueError:
        return False
