"""Log objects of KServe's agent become rows of the table of requests.

An object is stored once its answers had `join_minutes` to arrive, and deleted after the commit of its rows.
The rows name their object: one whose rows are there already, since a run was killed between the two, is only
deleted. A commit fails where another one was in between, and what is stored is then looked up again: neither
a second run at the same time nor a killed one counts a request twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from model_monitor import payloads, records, tables
from model_monitor.answers import Answer, Answers, Key
from model_monitor.declaration import FIXED, Monitor
from model_monitor.log_objects import LogObject
from model_monitor.objects import Entry, Folder

CHUNK: Final = 16 << 20
"""Bytes of log objects whose records are in memory at the same time."""
CHUNK_OBJECTS: Final = 500
COMMIT: Final = 32 << 20
"""Bytes of rows of one commit. Each is a snapshot, a manifest and a file for each day."""
_READERS: Final = 8
"""Objects that are read at the same time."""
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
class _Part:
    """The rows of some objects. results: object -> what its rows are. single: rows, without their problem, of
    answers to none of these requests. deleted: the objects that are deleted once their rows are stored.
    first: no row has an earlier time, but for those of unreadable objects. unreadable: object -> time of its
    row."""

    rows: pa.Table
    results: Mapping[str, Result]
    single: Sequence[tables.Row]
    deleted: Sequence[str]
    first: datetime | None
    unreadable: Mapping[str, datetime]


class Compaction:
    """The compaction of a model's log objects. namespace: of its InferenceServices."""

    def __init__(self, monitor: Monitor, namespace: str, folder: Folder, input_names: InputNames) -> None:
        self._monitor, self._namespace, self._folder = monitor, namespace, folder
        self._names: dict[str, Sequence[str] | None] = {}
        self._input_names = input_names
        self._unanswered: set[Key] = set()
        table = tables.load(monitor.requests_table)
        self._check(table)
        self._schema = table.schema().as_arrow()
        kept = [*monitor.inputs, *(part.name for part in monitor.predictions)]
        self._convert = {name: tables.converter(self._schema.field(name).type) for name in kept}

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
        join = timedelta(minutes=self._monitor.join_minutes)
        ready = sum(1 for entry, _ in entries if entry.modified <= now - join)
        total = Result(waiting=len(entries) - ready)
        with ThreadPoolExecutor(_READERS) as readers:
            answers = Answers(lambda start, end: self._read(readers, entries, start, end), entries, join)
            parts: list[_Part] = []
            for start, end in _chunks([entry for entry, _ in entries[:ready]]):
                parts.append(self._part(list(self._read(readers, entries, start, end)), end, answers))
                if sum(part.rows.nbytes for part in parts) >= COMMIT:
                    total.add(self._store(parts))
                    parts = []
            if parts:
                total.add(self._store(parts))
        return total

    def _entries(self) -> list[tuple[Entry, str]]:
        """Return all objects with their InferenceService, the oldest first."""
        found = [
            (entry, service)
            for service in self._monitor.inference_services
            for entry in self._folder.entries(f"{self._namespace}/{service}/")
        ]
        return sorted(found, key=lambda pair: (pair[0].modified, pair[0].key))

    def _read(
        self, readers: ThreadPoolExecutor, entries: Sequence[tuple[Entry, str]], start: int, end: int
    ) -> Iterator[LogObject]:
        contents = readers.map(self._folder.read, [entry.key for entry, _ in entries[start:end]])
        for at, data in enumerate(contents, start):
            if data is None:
                continue  # another run has stored it
            entry, service = entries[at]
            try:
                parsed = records.parse(entry.key, data)
            except records.UnreadableError:
                parsed = None
            yield LogObject(at, entry, service, parsed)

    def _part(self, objects: Sequence[LogObject], end: int, answers: Answers) -> _Part:
        """Return the rows of objects. end: the place after the last one, among all."""
        asked = {(read.service, record.id) for read in objects for record in read.requests}
        answers.add(objects, end, asked if self._monitor.predictions else set())
        results: dict[str, Result] = {}
        made: list[tables.Row] = []
        for read in objects:
            results[read.entry.key] = result = Result()
            made += self._rows(read, answers, result)
        left = [answer for answer in answers.left(end) if answer.key not in asked]
        times = [read.time(record) for read in objects for record in read.records or ()]
        return _Part(
            tables.arrow(self._schema, made),
            results,
            [self._single(answer) for answer in left] if self._monitor.predictions else [],
            # One that is unreadable stays, until the bucket's lifecycle deletes it: it is all that there is
            # of it.
            [read.entry.key for read in objects if read.records is not None],
            min(times, default=None),
            {read.entry.key: read.entry.modified for read in objects if read.records is None},
        )

    def _store(self, parts: Sequence[_Part]) -> Result:
        """Store rows by one commit, and delete their objects."""
        result = Result()

        def rows(table: Any) -> pa.Table:
            nonlocal result
            result = Result()
            stored = self._stored(table, parts)
            for part in parts:
                for key, counted in part.results.items():
                    if key not in stored:
                        result.add(counted)
            known = pa.array(sorted(stored), pa.string())
            new = [part.rows.filter(pc.invert(pc.is_in(part.rows["object"], known))) for part in parts]
            single = [row for part in parts for row in part.single if row["object"] not in stored]
            without = list(self._without_request(table, single, result))
            return pa.concat_tables([*new, tables.arrow(self._schema, without)])

        tables.commit(self._monitor.requests_table, rows)
        self._folder.delete([key for part in parts for key in part.deleted])
        return result

    def _stored(self, table: Any, parts: Sequence[_Part]) -> set[str]:
        """Return the objects whose rows are in the table."""
        from pyiceberg.expressions import And, GreaterThanOrEqual, In

        filters: list[Any] = []
        first = min((part.first for part in parts if part.first is not None), default=None)
        if first is not None:
            keys = {key for part in parts for key in part.deleted}
            filters.append(And(GreaterThanOrEqual("time", first.isoformat()), In("object", keys)))
        unreadable = {key: time for part in parts for key, time in part.unreadable.items()}
        if unreadable:
            # Their objects stay, and are looked up by each run: by the time of their rows, in few files.
            times = {time.isoformat() for time in unreadable.values()}
            filters.append(And(In("time", times), In("object", set(unreadable))))
        return {
            key
            for where in filters
            for batch in tables.batches(table, ["object", "time"], where=where)
            for key in batch["object"].to_pylist()
        }

    def _rows(self, read: LogObject, answers: Answers, result: Result) -> Iterator[tables.Row]:
        if read.records is None:
            result.problems[UNREADABLE] += 1
            fixed = (read.entry.key, 0, read.entry.modified, None, read.service, read.entry.key, UNREADABLE)
            yield dict(zip(FIXED, fixed, strict=True))
            return
        for record in read.requests:
            answer = answers.take((read.service, record.id))
            if answer is None:
                self._unanswered.add((read.service, record.id))
            try:
                yield from self._request(read, record, answer, result)
            except payloads.ProblemError as error:
                result.problems[str(error)] += 1
                yield self._fixed(read, record, str(error), 0)

    def _request(
        self, read: LogObject, record: records.Record, answer: records.Record | None, result: Result
    ) -> list[tables.Row]:
        monitor = self._monitor
        if record.version is None:
            raise payloads.ProblemError(NO_VERSION)
        names = monitor.inputs
        inputs = payloads.inputs(record.body, self._ordered(record.version), names)
        outputs, problem = self._outputs(answer, len(inputs))
        made: list[tables.Row] = []
        for at, (asked, answered) in enumerate(zip(inputs, outputs, strict=True)):
            raw = {**{name: asked.get(name) for name in names}, **answered}
            values = {name: convert(raw.get(name)) for name, convert in self._convert.items()}
            result.mistyped += sum(1 for name in values if values[name] is None and raw.get(name) is not None)
            made.append({**self._fixed(read, record, problem, at), **values})
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

    def _single(self, answer: Answer) -> tables.Row:
        return self._fixed(answer.read, answer.record, None, 0)

    def _without_request(
        self, table: Any, single: Sequence[tables.Row], result: Result
    ) -> Iterator[tables.Row]:
        """Yield a row for each answer whose request is neither in its part nor, answered, in the table."""
        unknown = [row for row in single if _key(row) not in self._unanswered]
        known = self._problems_of(table, unknown) if unknown else {}
        for row in single:
            if _key(row) in self._unanswered or known.get(_key(row)) == NO_ANSWER:
                problem = LATE_ANSWER
            elif _key(row) in known:
                continue
            else:
                problem = NO_REQUEST
            result.problems[problem] += 1
            yield {**row, "problem": problem}

    def _problems_of(self, table: Any, answers: Sequence[tables.Row]) -> dict[Key, str | None]:
        """Return request -> its problem, of the requests of answers that are in the table."""
        from pyiceberg.expressions import And, GreaterThanOrEqual, In

        # A request is before its answer, by as long as it was answered: an hour at most.
        first = min(row["time"] for row in answers) - timedelta(hours=1)
        where = And(
            GreaterThanOrEqual("time", first.isoformat()),
            In("request_id", {row["request_id"] for row in answers}),
        )
        columns = ["request_id", "inference_service", "problem", "time"]
        return {
            _key(row): row["problem"]
            for batch in tables.batches(table, columns, where=where)
            for row in batch.to_pylist()
        }

    def _fixed(
        self, read: LogObject, record: records.Record, problem: str | None, row: int
    ) -> dict[str, Any]:
        values = (
            record.id,
            row,
            read.time(record),
            record.version,
            read.service,
            read.entry.key,
            problem,
        )
        return dict(zip(FIXED, values, strict=True))


def _key(row: tables.Row) -> Key:
    return row["inference_service"], row["request_id"]


def _chunks(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """Yield the bounds of parts that are in memory one after the other."""
    start = size = 0
    for at, entry in enumerate(entries):
        if at > start and (size + entry.size > CHUNK or at - start >= CHUNK_OBJECTS):
            yield start, at
            start, size = at, 0
        size += entry.size
    if start < len(entries):
        yield start, len(entries)
