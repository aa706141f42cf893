"""Measure the quality of a window, and end with 1 where a version is not better than popularity.

    python -m monitoring --end 2026-11-17T00:00:00Z --hours 24 --least-lift 1.2

Without `--end` that is the newest time whose clicks are known. Prints a JSON object. Variables: CLICKS_TABLE and IMPRESSIONS_TABLE, and those of PyIceberg's catalog `default`. Drift of
requests is the platform's monitor (docs/model-monitoring.md); this program is what only the shop knows: what a good
recommendation is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan

from monitoring.quality import LEAST, WAIT, measure

HISTORY = timedelta(days=14)
"""Of clicks before the window, by which items are popular."""


def _rows(name: str, start: datetime, end: datetime, columns: Sequence[str]) -> list[dict[str, Any]]:
    where = And(
        GreaterThanOrEqual("happened_at", start.isoformat()), LessThan("happened_at", end.isoformat())
    )
    table = load_catalog().load_table(name)
    return table.scan(row_filter=where, selected_fields=tuple(columns)).to_arrow().to_pylist()


def _time(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise argparse.ArgumentTypeError(f"got {text!r}, which states no time zone; expected ...T00:00:00Z")
    return parsed.astimezone(UTC)


def main(words: Sequence[str] | None = None) -> int:
    """Measure. Returns 1 where a version with enough impressions has less lift than stated."""
    parser = argparse.ArgumentParser(prog="monitoring", description="Measure what was recommended.")
    newest = datetime.now(UTC) - WAIT
    parser.add_argument(
        "--end", type=_time, default=newest, help="end of the window, UTC. Default: 12 hours ago"
    )
    parser.add_argument("--hours", type=int, default=24, help="length of the window")
    parser.add_argument("--least-lift", type=float, default=1.2, help="hit rate, in times of popularity's")
    options = parser.parse_args(words)
    start = options.end - timedelta(hours=options.hours)
    clicks = _rows(
        os.environ["CLICKS_TABLE"], start - HISTORY, options.end + WAIT, ("user_id", "item_id", "happened_at")
    )
    shown = _rows(
        os.environ["IMPRESSIONS_TABLE"], start, options.end, ("user_id", "version", "items", "happened_at")
    )
    measured = measure(shown, clicks, start, options.end)
    low = [
        entry.version for entry in measured if entry.impressions >= LEAST and entry.lift < options.least_lift
    ]
    versions = [{**asdict(entry), "lift": round(entry.lift, 4)} for entry in measured]
    sys.stdout.write(json.dumps({"versions": versions, "low": low}) + "\n")
    return int(bool(low))


if __name__ == "__main__":
    sys.exit(main())
