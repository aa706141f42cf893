"""The table of results: a row of each run, by which a cool-down is kept across runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from model_monitor import tables
from model_monitor.drift import Score
from model_monitor.quality import Quality

OK: Final = "ok"
DRIFTED: Final = "drifted"
TOO_FEW: Final = "too_few"
STATUSES: Final = (OK, DRIFTED, TOO_FEW)

OFF: Final = "off"
NONE: Final = "none"
COOLDOWN: Final = "cooldown"
PENDING: Final = "pending"
SENT: Final = "sent"
FAILED: Final = "failed"

IN_PROGRESS: Final = timedelta(minutes=10)
"""How long a pending announcement may be that of a run that still sends it."""

_TEXTS: Final = (
    "run_id",
    "team",
    "model",
    "version",
    "baseline_table",
    "status",
    "scores",
    "quality_metric",
    "report",
    "event",
)
_NUMBERS: Final = (
    "baseline_snapshot",
    "requests_snapshot",
    "rows",
    "other_rows",
    "problem_rows",
    "sample_rows",
    "baseline_rows",
    "seed",
    "drifted_columns",
    "columns",
    "quality_rows",
)
_TIMES: Final = ("created_at", "window_start", "window_end")
_SHARES: Final = ("quality", "quality_reference")


@dataclass(frozen=True)
class Run:
    """A comparison of a window, [start, end)."""

    run_id: str
    team: str
    model: str
    version: str
    created_at: datetime
    window_start: datetime
    window_end: datetime
    baseline_table: str | None
    """None: the first rows of the version are the baseline."""
    baseline_snapshot: int | None
    requests_snapshot: int | None
    rows: int
    other_rows: int
    problem_rows: int
    sample_rows: int
    baseline_rows: int
    seed: int
    status: str
    scores: Sequence[Score] = ()
    quality: Quality | None = None
    report: str | None = None
    event: str = NONE

    @property
    def columns(self) -> list[str]:
        """The compared columns."""
        return list(dict.fromkeys(score.column for score in self.scores))

    @property
    def drifted_columns(self) -> list[str]:
        """Those that have drifted."""
        return list(dict.fromkeys(score.column for score in self.scores if score.drifted))

    def row(self) -> dict[str, Any]:
        """Return the row of the table."""
        quality = self.quality
        stated = {name: getattr(self, name) for name in (*_TEXTS, *_NUMBERS, *_TIMES) if hasattr(self, name)}
        return {
            **stated,
            "scores": json.dumps([score.as_dict() for score in self.scores]),
            "columns": len(self.columns),
            "drifted_columns": len(self.drifted_columns),
            "quality_metric": quality and quality.metric,
            "quality": quality and quality.value,
            "quality_reference": quality and quality.reference,
            "quality_rows": quality.rows if quality else 0,
        }


class Results:
    """The rows of a model in a table of results."""

    def __init__(self, name: str, team: str, model: str) -> None:
        self._name, self._team, self._model = name, team, model
        tables.check(
            tables.load(name),
            name,
            {
                **dict.fromkeys(_TEXTS, tables.is_text),
                **dict.fromkeys(_NUMBERS, pa.types.is_integer),
                **dict.fromkeys(_SHARES, pa.types.is_floating),
                **dict.fromkeys(_TIMES, lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None),
            },
        )

    def store(self, run: Run, cooldown: timedelta) -> Run:
        """Store a run; return it with its event. A drifted one with the event `pending` has to be announced,
        and then stored as `sent`, or as `failed`.

        One that is announced already, by this table, is not announced again: within the cool-down it gets
        `cooldown`. An announcement that a killed run left `pending` is made by the next run that has
        drifted."""
        stored = run

        def rows(table: Any) -> pa.Table:
            nonlocal stored
            stored = run if run.event != PENDING else replace(run, event=self._event(table, run, cooldown))
            return tables.arrow(table.schema().as_arrow(), [stored.row()])

        tables.commit(self._name, rows)
        return stored

    def _event(self, table: Any, run: Run, cooldown: timedelta) -> str:
        from pyiceberg.expressions import And, EqualTo, GreaterThan, In

        since = run.created_at - cooldown
        where = And(
            EqualTo("team", self._team),
            EqualTo("model", self._model),
            In("event", {PENDING, SENT, FAILED}),
            GreaterThan("created_at", since.isoformat()),
        )
        columns = ["run_id", "event", "created_at", "team", "model"]
        rows = [row for batch in tables.batches(table, columns, where=where) for row in batch.to_pylist()]
        failed = {row["run_id"] for row in rows if row["event"] == FAILED}
        in_progress = run.created_at - IN_PROGRESS
        announced = any(
            row["event"] == SENT or (row["created_at"] > in_progress and row["run_id"] not in failed)
            for row in rows
        )
        return COOLDOWN if announced else PENDING

    def last(self) -> dict[str, Any] | None:
        """Return the newest row, as JSON has it; None without any."""
        from pyiceberg.expressions import And, EqualTo

        where = And(EqualTo("team", self._team), EqualTo("model", self._model))
        names = (*_TEXTS, *_NUMBERS, *_TIMES, *_SHARES)
        newest: dict[str, Any] | None = None
        for batch in tables.batches(tables.load(self._name), names, where=where):
            for row in batch.to_pylist():
                if newest is None or row["created_at"] > newest["created_at"]:
                    newest = row
        if newest is None:
            return None
        times = {name: newest[name].isoformat() for name in _TIMES}
        return {**newest, **times, "scores": json.loads(newest["scores"])}

    def announced(self, run: Run, event: str, now: datetime) -> Run:
        """Store whether a run was announced: `sent` or `failed`."""
        done = replace(run, event=event, created_at=now)
        tables.commit(self._name, lambda table: tables.arrow(table.schema().as_arrow(), [done.row()]))
        return done
