"""A log object with what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from model_monitor.objects import Entry
from model_monitor.records import Record


@dataclass(frozen=True)
class LogObject:
    """An object. place: among all objects, the oldest first. service: the InferenceService. records: None for
    one that is unreadable."""

    place: int
    entry: Entry
    service: str
    records: Sequence[Record] | None

    @property
    def requests(self) -> list[Record]:
        """Its requests."""
        return [record for record in self.records or () if record.is_request]

    def time(self, record: Record) -> datetime:
        """Return the time of one of its records."""
        return record.time or self.entry.modified
