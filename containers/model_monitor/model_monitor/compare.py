"""A window of the table of requests against the snapshot that the served version was trained on, or against
the first rows of the version where nothing trains the model."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from model_monitor import drift, quality, sampling, tables
from model_monitor.compact import WITH_INPUTS
from model_monitor.declaration import Column, Monitor, Prediction
from model_monitor.errors import RefusedError
from model_monitor.results import DRIFTED, NONE, OFF, OK, PENDING, TOO_FEW, Run

Declared = Column | Prediction


class Versions(Protocol):
    """What the registry states of versions."""

    def champion(self) -> str:
        """Return the version of the champion; empty where there is none."""
        ...

    def baseline(self, version: str, table: str) -> int:
        """Return the snapshot that a version was trained on."""
        ...

    def metric(self, version: str, metric: str) -> float:
        """Return a metric that it was registered with."""
        ...


@dataclass(frozen=True)
class Window:
    """The half-open interval [start, end), in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Outcome:
    """run: to be stored. comparison and html: None where the window has too few rows."""

    run: Run
    comparison: drift.Comparison | None
    html: bytes | None


def window(monitor: Monitor, now: datetime, end: str | None) -> Window:
    """Return the window that ends at `end`, or at the last full hour that is `delay_minutes` ago. Raises
    RefusedError for no time and for a future one."""
    last = (now - timedelta(minutes=monitor.delay_minutes)).replace(minute=0, second=0, microsecond=0)
    if end:
        try:
            stated = datetime.fromisoformat(end)
        except ValueError as error:
            raise RefusedError(f"--end: got {end!r}; expected a time such as 2026-11-28T00:00:00Z") from error
        if stated.tzinfo is None:
            raise RefusedError(
                f"--end: got {end!r}, which states no time zone; expected UTC, as in ...T00:00:00Z"
            )
        last = stated.astimezone(UTC)
        if last > now:
            raise RefusedError(f"--end: got {end!r}, which is in the future; the window has no end yet")
    return Window(last - timedelta(hours=monitor.window_hours), last)


@dataclass(frozen=True)
class _Baseline:
    """What a window is compared with. values: column -> its values. categories: column -> all of its values;
    None for too many of them."""

    rows: int = 0
    values: Mapping[str, pd.Series] = field(default_factory=dict)
    categories: Mapping[str, set[str] | None] = field(default_factory=dict)


class Comparer:
    """Compares windows of a model. render: makes the report."""

    def __init__(
        self,
        monitor: Monitor,
        team: str,
        model: str,
        versions: Versions,
        render: Callable[[Run, Mapping[str, pd.Series], pd.DataFrame, Sequence[Declared]], bytes],
    ) -> None:
        self._monitor, self._team, self._model = monitor, team, model
        self._versions, self._render = versions, render
        self._requests = tables.load(monitor.requests_table)
        self._baseline = tables.load(monitor.baseline_table) if monitor.baseline_table is not None else None
        self._check()

    def _check(self) -> None:
        monitor = self._monitor
        kinds = {"number": tables.is_number, "category": tables.is_category}
        stored = {part.name: kinds[part.type] for part in monitor.compared()}
        tables.check(self._requests, monitor.requests_table, stored)
        if monitor.baseline_table is not None:
            sources = {
                source: kinds[part.type] for part in monitor.compared() if (source := monitor.source(part))
            }
            tables.check(self._baseline, monitor.baseline_table, sources)
        if monitor.labels is not None:
            quality.check(monitor.labels)

    def run(self, stated: Window, version: str | None, now: datetime) -> Outcome:
        """Compare a window. version: None: the one with the most rows, or without any the champion. Raises
        RefusedError without a baseline."""
        monitor = self._monitor
        counts, problems = self._counts(stated)
        most = max(counts, key=lambda name: (counts[name], name)) if counts else ""
        served = version or most or self._versions.champion()
        if not served and monitor.baseline_table is not None:
            raise RefusedError(
                f"table {monitor.requests_table!r}: no row of {stated.start:%Y-%m-%dT%H:%MZ} to "
                f"{stated.end:%Y-%m-%dT%H:%MZ}, and the model has no champion; expected one, or --version"
            )
        snapshot = self._snapshot(served)
        reference = (
            self._versions.metric(served, monitor.labels.metric) if monitor.labels is not None else None
        )
        current = self._requests.current_snapshot()
        facts: dict[str, Any] = {
            "run_id": uuid.uuid4().hex,
            "team": self._team,
            "model": self._model,
            "version": served,
            "created_at": now,
            "window_start": stated.start,
            "window_end": stated.end,
            "baseline_table": monitor.baseline_table,
            "baseline_snapshot": snapshot,
            "requests_snapshot": current.snapshot_id if current else None,
            "rows": counts[served],
            "other_rows": counts.total() - counts[served],
            "problem_rows": problems,
            "seed": monitor.seed,
        }
        if counts[served] < monitor.min_rows:
            return Outcome(Run(**facts, sample_rows=0, baseline_rows=0, status=TOO_FEW), None, None)
        return self._compared(facts, served, stated, snapshot, reference)

    def _snapshot(self, served: str) -> int | None:
        """Return the snapshot that a version was trained on; None where nothing trains the model."""
        table = self._monitor.baseline_table
        if table is None or self._baseline is None:
            return None
        snapshot = self._versions.baseline(served, table)
        if self._baseline.metadata.snapshot_by_id(snapshot) is None:
            raise RefusedError(
                f"table {table!r}: snapshot {snapshot} of version {served} does not exist; "
                "expected one that its expiration keeps (snapshot_days)"
            )
        return snapshot

    def _counts(self, stated: Window) -> tuple[Counter[str], int]:
        """Return version -> rows of the window that are compared, and the number of others."""
        counts: Counter[str] = Counter()
        problems = 0
        where = tables.within(stated.start, stated.end)
        for batch in tables.batches(self._requests, ["version", "problem"], where=where):
            for group in batch_counts(batch):
                if group[0] is not None and (group[1] is None or group[1] in WITH_INPUTS):
                    counts[group[0]] += group[2]
                if group[1] is not None:
                    problems += group[2]
        return counts, problems

    def _compared(
        self,
        facts: dict[str, Any],
        served: str,
        stated: Window,
        snapshot: int | None,
        reference: float | None,
    ) -> Outcome:
        monitor = self._monitor
        compared = list(monitor.compared())
        sample = self._sample(served, stated, [part.name for part in compared])
        current = drift.frame(sample.table, {part.name: part for part in compared})
        baseline = self._first_rows(served, stated) if snapshot is None else self._trained(snapshot)
        base = baseline.values
        if snapshot is not None:
            base = {**base, **self._first_rows(served, stated).values}
        known = [part for part in compared if part.name in base]
        if not known:
            return Outcome(Run(**facts, sample_rows=0, baseline_rows=0, status=TOO_FEW), None, None)
        comparison = drift.compare(base, current, known, baseline.categories)
        measured = self._quality(served, stated, reference)
        is_drifted = len(comparison.drifted) >= monitor.min_drifted_columns or (
            measured is not None and measured.drifted
        )
        run = Run(
            **facts,
            sample_rows=sample.table.num_rows,
            baseline_rows=baseline.rows,
            status=DRIFTED if is_drifted else OK,
            scores=tuple(comparison.scores),
            quality=measured,
            event=(PENDING if is_drifted else NONE) if monitor.retrain else OFF,
        )
        return Outcome(run, comparison, self._render(run, base, current, known))

    def _sample(self, version: str, stated: Window, columns: Sequence[str]) -> sampling.Sample:
        """Return a sample of the rows of a version."""
        from pyiceberg.expressions import And, EqualTo, In, IsNull, Or

        monitor = self._monitor
        names = list(dict.fromkeys(["request_id", "row", *columns]))
        where = And(
            tables.within(stated.start, stated.end),
            EqualTo("version", version),
            Or(IsNull("problem"), In("problem", set(WITH_INPUTS))),
        )
        return sampling.take(
            tables.batches(self._requests, [*names, "time", "version", "problem"], where=where),
            monitor.sample_rows,
            monitor.seed,
            schema=_schema(self._requests, names),
        )

    def _trained(self, snapshot: int) -> _Baseline:
        """Return a sample of the training's snapshot."""
        monitor = self._monitor
        pairs = [(part, source) for part in monitor.compared() if (source := monitor.source(part))]
        categories = {part.name: source for part, source in pairs if part.type == "category"}
        sample = sampling.take(
            tables.batches(self._baseline, dict.fromkeys(source for _, source in pairs), snapshot=snapshot),
            monitor.sample_rows,
            monitor.seed,
            categories=list(dict.fromkeys(categories.values())),
        )
        if sample.rows < monitor.min_rows:
            raise RefusedError(
                f"table {monitor.baseline_table!r}: snapshot {snapshot} has {sample.rows} rows; expected "
                f"min_rows ({monitor.min_rows}) or more"
            )
        return _Baseline(
            sample.table.num_rows,
            {part.name: drift.frame(sample.table, {source: part})[part.name] for part, source in pairs},
            {name: sample.categories[source] for name, source in categories.items()},
        )

    def _first_rows(self, served: str, stated: Window) -> _Baseline:
        """Return what has no column of the training: the first rows of the version, before the window. None
        of them until there are `min_rows`."""
        from pyiceberg.expressions import And, EqualTo, IsNull, LessThan

        monitor = self._monitor
        rest = [part for part in monitor.compared() if monitor.source(part) is None]
        if not rest:
            return _Baseline()
        where = And(LessThan("time", stated.start.isoformat()), EqualTo("version", served), IsNull("problem"))
        names = [part.name for part in rest]
        files = tables.by_time(self._requests, ["time", *names, "version", "problem"], where)
        first = _first(files, monitor.sample_rows)
        if first is None or first.num_rows < monitor.min_rows:
            return _Baseline()
        rows = drift.frame(first, {part.name: part for part in rest})
        values = {part.name: rows[part.name] for part in rest}
        categories = {part.name: set(values[part.name].dropna()) for part in rest if part.type == "category"}
        return _Baseline(first.num_rows, values, categories)

    def _quality(self, version: str, stated: Window, reference: float | None) -> quality.Quality | None:
        """Return the quality of the answers of a version, in the window whose labels have arrived."""
        labels = self._monitor.labels
        if labels is None or reference is None:
            return None
        delay = timedelta(hours=labels.delay_hours)
        labelled = Window(stated.start - delay, stated.end - delay)
        answers = self._sample(version, labelled, [labels.key, labels.prediction])
        return quality.measure(labels, answers.table, reference, self._monitor.min_rows)


def batch_counts(batch: pa.RecordBatch) -> list[tuple[str | None, str | None, int]]:
    """Return version, problem and number of rows of each group."""
    grouped = pa.Table.from_batches([batch]).group_by(["version", "problem"]).aggregate([([], "count_all")])
    return [(row["version"], row["problem"], row["count_all"]) for row in grouped.to_pylist()]


def _schema(table: Any, names: Sequence[str]) -> pa.Schema:
    schema = table.schema().as_arrow()
    return pa.schema([schema.field(name) for name in names])


def _first(files: Iterable[tuple[datetime | None, Iterable[pa.RecordBatch]]], size: int) -> pa.Table | None:
    """Return the rows with the smallest times, of files with the earliest time of each, in order: those
    behind the last row are not read."""
    kept: pa.Table | None = None
    for earliest, batches in files:
        is_full = kept is not None and kept.num_rows == size
        if is_full and earliest is not None and earliest > kept["time"][-1].as_py():
            break
        for batch in batches:
            part = pa.Table.from_batches([batch])
            kept = part if kept is None else pa.concat_tables([kept, part], promote_options="permissive")
            if kept.num_rows > 2 * size:
                kept = _oldest(kept, size)
        kept = None if kept is None else _oldest(kept, size)
    return kept


def _oldest(rows: pa.Table, size: int) -> pa.Table:
    return rows.sort_by("time").slice(0, size).combine_chunks()
