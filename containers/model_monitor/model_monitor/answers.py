"""Which answer belongs to a request: one of the same InferenceService with its id, in the same log object or
in a later one. Copies of a request that another version answers have its id, too, where the client states it.

Later objects are read ahead, each of them once, for as long as requests lack their answers and at most
`join_minutes` far. Kept are only their answers to requests of other objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from model_monitor.log_objects import LogObject
from model_monitor.objects import Entry
from model_monitor.records import Record

Key = tuple[str, str]
"""An InferenceService, and the id of a request."""
AHEAD: Final = 32
"""Objects that are read ahead before it is asked again whether an answer lacks."""


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer. read: its object, without its records. at: the place in it."""

    read: LogObject
    at: int
    record: Record

    @property
    def key(self) -> Key:
        """The request that it belongs to."""
        return self.read.service, self.record.id


class Answers:
    """The answers of objects. read: returns the objects of an interval of places. entries: all of them, with
    their InferenceServices. join: how long an answer is waited for."""

    def __init__(
        self,
        read: Callable[[int, int], Iterable[LogObject]],
        entries: Sequence[tuple[Entry, str]],
        join: timedelta,
    ) -> None:
        self._read, self._entries, self._join = read, entries, join
        self._known: dict[Key, list[Answer]] = {}
        self._next = 0

    def add(self, objects: Sequence[LogObject], end: int, asked: Iterable[Key]) -> None:
        """Add the answers of objects, whose last one is before the place `end`, and of later ones until all
        requests of `asked` have one."""
        for read in objects:
            own, others = _answers(read)
            # The others are known of one that was read ahead.
            self._keep(own if read.place < self._next else [*own, *others])
        self._next = max(self._next, end)
        until = self._entries[end - 1][0].modified + self._join
        lacking = {key for key in asked if key not in self._known}
        while lacking and self._next < len(self._entries):
            stop = self._next
            while stop < min(self._next + AHEAD, len(self._entries)):
                if self._entries[stop][0].modified > until:
                    break
                stop += 1
            if stop == self._next:
                return
            for read in self._read(self._next, stop):
                self._keep(_answers(read)[1])
            self._next = stop
            lacking -= self._known.keys()

    def take(self, key: Key) -> Record | None:
        """Return the first answer to a request, which is then no other one's; None without any."""
        found = self._known.get(key)
        if not found:
            return None
        first = min(found, key=lambda answer: (answer.read.place, answer.at))
        found.remove(first)
        if not found:
            del self._known[key]
        return first.record

    def left(self, end: int) -> list[Answer]:
        """Return the answers before a place that no request took, and forget them."""
        passed = [answer for found in self._known.values() for answer in found if answer.read.place < end]
        for answer in passed:
            found = self._known[answer.key]
            found.remove(answer)
            if not found:
                del self._known[answer.key]
        return sorted(passed, key=lambda answer: (answer.read.place, answer.at))

    def _keep(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            self._known.setdefault(answer.key, []).append(answer)


def _answers(read: LogObject) -> tuple[list[Answer], list[Answer]]:
    """Return the answers of an object to its own requests, and to those of other objects."""
    asked = {record.id for record in read.requests}
    # Otherwise one answer would keep all records of its object in memory.
    empty = replace(read, records=())
    own: list[Answer] = []
    others: list[Answer] = []
    for at, record in enumerate(read.records or ()):
        if not record.is_request:
            (own if record.id in asked else others).append(Answer(empty, at, record))
    return own, others
