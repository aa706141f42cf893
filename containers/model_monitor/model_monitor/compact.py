"""Log objects of KServe's agent become rows of the table of requests.

An object is read once its answers had `join_minutes` to arrive, and deleted after the commit of its rows. The
rows name their object: one whose rows are there already, since a run was killed between the two, is only
deleted. A commit fails where another one was in between, and its rows are determined again: neither a second
run at the same time nor a killed one counts a request twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from model_monitor import payloads, records, tables
from model_monitor.declaration import FIXED, Monitor
from model_monitor.objects import Entry, Folder

CHUNK: Final = 16 << 20
"""Bytes of log objects that are read for one commit."""
CHUNK_OBJECTS: Final = 500
NO_VERSION: Final = "no_version"
NO_REQUEST: Final = "no_request"
NO_ANSWER: Final = "no_answer"
LATE_ANSWER: Final = "late_answer"
BAD_ANSWER: Final = "bad_answer"
UNREADABLE: Final = "unreadable"
WITH_INPUTS: Final = frozenset({NO_ANSWER, BAD_ANSWER})
"""Problems of rows whose inputs are compared."""

InputNames = Callable[[str], Sequence[str] | None]
"""Version -> the names of its inputs in order; None where the registry states none."""


@dataclass
class Result:
    """rows: without a problem. problems: problem -> rows. mistyped: values that their columns have no place
    for, which are null. waiting: objects that are too new."""

    rows: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    mistyped: int = 0
    waiting: int = 0

    def add(self, other: Result) -> None:
        """Add the counts of another part."""
        self.rows += other.rows
        self.problems += other.problems
        self.mistyped += other.mistyped


@dataclass(frozen=True)
class _Object:
    """An object with its records; None where it is unreadable."""

    entry: Entry
    service: str
    records: Sequence[records.Record] | None

    def time(self, record: records.Record) -> datetime:
        return record.time or self.entry.modified


class Compaction:
    """The compaction of a model's log objects. namespace: of its InferenceServices."""

    def __init__(self, monitor: Monitor, namespace: str, folder: Folder, input_names: InputNames) -> None:
        self._monitor, self._namespace, self._folder = monitor, namespace, folder
        self._names: dict[str, Sequence[str] | None] = {}
        self._input_names = input_names
        self._check(tables.load(monitor.requests_table))

    def _check(self, table: Any) -> None:
        monitor = self._monitor
        wanted: dict[str, Callable[[pa.DataType], bool]] = {
            **dict.fromkeys(FIXED, tables.is_text),
            "row": pa.types.is_integer,
            "time": lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None,
        }
        for part in monitor.compared(everything=True):
            wanted[part.name] = tables.is_number if part.type == "number" else tables.is_category
        wanted |= dict.fromkeys(monitor.keys, tables.is_category)
        tables.check(table, monitor.requests_table, wanted)

    def run(self, now: datetime) -> Result:
        """Store what is old enough."""
        entries = self._entries()
        last = now - timedelta(minutes=self._monitor.join_minutes)
        ready = [pair for pair in entries if pair[0].modified <= last]
        total = Result(waiting=len(entries) - len(ready))
        for start, end in _chunks([entry for entry, _ in ready]):
            total.add(self._store(ready[start:end], entries[end:]))
        return total

    def _entries(self) -> list[tuple[Entry, str]]:
        """Return all objects with their InferenceService, the oldest first."""
        found = [
            (entry, service)
            for service in self._monitor.inference_services
            for entry in self._folder.entries(f"{self._namespace}/{service}/")
        ]
        return sorted(found, key=lambda pair: (pair[0].modified, pair[0].key))

    def _read(self, pairs: Sequence[tuple[Entry, str]]) -> Iterator[_Object]:
        for entry, service in pairs:
            data = self._folder.read(entry.key)
            if data is None:
                continue  # another run has stored it
            try:
                parsed = records.parse(entry.key, data)
            except records.UnreadableError:
                parsed = None
            yield _Object(entry, service, parsed)

    def _store(self, chunk: Sequence[tuple[Entry, str]], later: Sequence[tuple[Entry, str]]) -> Result:
        objects = list(self._read(chunk))
        if not objects:
            return Result()
        answers = self._answers(objects, later)
        result = Result()

        def rows(table: Any) -> list[tables.Row]:
            nonlocal result
            result = Result()
            stored = self._stored(table, objects)
            schema = table.schema().as_arrow()
            waiting = {name: deque(queue) for name, queue in answers.items()}
            made = [
                row
                for read in objects
                if read.entry.key not in stored
                for row in self._rows(read, waiting, schema, result)
            ]
            return [*made, *self._without_request(table, objects, stored, result)]

        tables.commit(self._monitor.requests_table, rows)
        # One that is unreadable stays, until the bucket's lifecycle deletes it: it is all that there is of
        # it.
        self._folder.delete([read.entry.key for read in objects if read.records is not None])
        return result

    def _answers(
        self, objects: Sequence[_Object], later: Sequence[tuple[Entry, str]]
    ) -> dict[str, deque[records.Record]]:
        """Return the answers to the requests of objects, in order, from them and from later ones."""
        wanted = {record.id for read in objects for record in read.records or () if record.is_request}
        found: dict[str, deque[records.Record]] = defaultdict(deque)

        def take(read: _Object) -> None:
            for record in read.records or ():
                if not record.is_request and record.id in wanted:
                    found[record.id].append(record)

        for read in objects:
            take(read)
        until = objects[-1].entry.modified + timedelta(minutes=self._monitor.join_minutes)
        if sum(map(len, found.values())) < len(wanted):
            for read in self._read([pair for pair in later if pair[0].modified <= until]):
                take(read)
        return found

    def _stored(self, table: Any, objects: Sequence[_Object]) -> set[str]:
        """Return the objects whose rows are in the table."""
        from pyiceberg.expressions import And, GreaterThanOrEqual, In

        first = min(
            [read.time(record) for read in objects for record in read.records or ()]
            + [read.entry.modified for read in objects]
        )
        keys = {read.entry.key for read in objects}
        where = And(GreaterThanOrEqual("time", first.isoformat()), In("object", keys))
        return {
            key
            for batch in tables.batches(table, ["object"], where=where)
            for key in batch["object"].to_pylist()
        }

    def _rows(
        self, read: _Object, answers: dict[str, deque[records.Record]], schema: pa.Schema, result: Result
    ) -> Iterator[tables.Row]:
        if read.records is None:
            yield self._problem(read, read.entry.key, read.entry.modified, None, UNREADABLE, result)
            return
        for record in read.records:
            if not record.is_request:
                continue
            queue = answers.get(record.id)
            answer = queue.popleft() if queue else None
            try:
                yield from self._request(read, record, answer, schema, result)
            except payloads.ProblemError as error:
                yield self._problem(read, record.id, read.time(record), record.version, str(error), result)

    def _request(
        self,
        read: _Object,
        record: records.Record,
        answer: records.Record | None,
        schema: pa.Schema,
        result: Result,
    ) -> list[tables.Row]:
        monitor = self._monitor
        if record.version is None:
            raise payloads.ProblemError(NO_VERSION)
        inputs = payloads.inputs(record.body, self._ordered(record.version), monitor.inputs)
        outputs, problem = self._outputs(answer, len(inputs))
        kept = [*monitor.inputs, *(part.name for part in monitor.predictions)]
        made: list[tables.Row] = []
        for at, (asked, answered) in enumerate(zip(inputs, outputs, strict=True)):
            raw = {**{name: asked.get(name) for name in monitor.inputs}, **answered}
            values = {name: tables.converted(raw.get(name), schema.field(name).type) for name in kept}
            result.mistyped += sum(1 for name in kept if values[name] is None and raw.get(name) is not None)
            made.append(
                {**self._fixed(read, record.id, read.time(record), record.version, problem, at), **values}
            )
        if problem is None:
            result.rows += len(made)
        else:
            result.problems[problem] += len(made)
        return made

    def _ordered(self, version: str) -> Sequence[str] | None:
        if version not in self._names:
            self._names[version] = self._input_names(version) or self._monitor.input_order
        return self._names[version]

    def _outputs(self, answer: records.Record | None, count: int) -> tuple[list[payloads.Row], str | None]:
        """Return the answers to `count` rows, and the problem; empty ones with a problem."""
        names = [part.name for part in self._monitor.predictions]
        if not names:
            return [{}] * count, None
        if answer is None:
            return [{}] * count, NO_ANSWER
        try:
            outputs = payloads.outputs(answer.body, names)
        except payloads.ProblemError:
            outputs = []
        if len(outputs) != count:
            return [{}] * count, BAD_ANSWER
        return outputs, None

    def _without_request(
        self, table: Any, objects: Sequence[_Object], stored: set[str], result: Result
    ) -> Iterator[tables.Row]:
        """Yield a row for each answer whose request is neither in these objects nor, answered, in the
        table."""
        asked = {record.id for read in objects for record in read.records or () if record.is_request}
        single = [
            (read, record)
            for read in objects
            if read.entry.key not in stored
            for record in read.records or ()
            if not record.is_request and record.id not in asked
        ]
        if not single:
            return
        known = self._problems_of(table, single)
        for read, record in single:
            problem = NO_REQUEST if record.id not in known else LATE_ANSWER
            if problem == NO_REQUEST or known[record.id] == NO_ANSWER:
                yield self._problem(read, record.id, read.time(record), record.version, problem, result)

    def _problems_of(
        self, table: Any, answers: Sequence[tuple[_Object, records.Record]]
    ) -> dict[str, str | None]:
        """Return request -> its problem, of the requests of answers that are in the table."""
        from pyiceberg.expressions import And, GreaterThanOrEqual, In

        # A request is before its answer, by as long as it was answered: an hour at most.
        first = min(read.time(record) for read, record in answers) - timedelta(hours=1)
        where = And(
            GreaterThanOrEqual("time", first.isoformat()),
            In("request_id", {record.id for _, record in answers}),
        )
        return {
            row["request_id"]: row["problem"]
            for batch in tables.batches(table, ["request_id", "problem"], where=where)
            for row in batch.to_pylist()
        }

    def _problem(
        self,
        read: _Object,
        identifier: str,
        time: datetime,
        version: str | None,
        problem: str,
        result: Result,
    ) -> tables.Row:
        result.problems[problem] += 1
        return self._fixed(read, identifier, time, version, problem, 0)

    def _fixed(
        self,
        read: _Object,
        identifier: str,
        time: datetime,
        version: str | None,
        problem: str | None,
        row: int,
    ) -> dict[str, Any]:
        values = (identifier, row, time, version, read.service, read.entry.key, problem)
        return dict(zip(FIXED, values, strict=True))


def _chunks(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """Yield the bounds of parts that are stored by one commit each."""
    start = size = 0
    for at, entry in enumerate(entries):
        if at > start and (size + entry.size > CHUNK or at - start >= CHUNK_OBJECTS):
            yield start, at
            start, size = at, 0
        size += entry.size
    if start < len(entries):
        yield start, len(entries)
