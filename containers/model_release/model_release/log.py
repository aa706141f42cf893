"""The log of a model's promotions: an object for each, which nothing changes or deletes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from model_release import names
from model_release.errors import RefusedError
from model_release.objects import ExistsError, Objects, read

_TIME: Final = "%Y%m%dT%H%M%S.%fZ"
"""Keys in this form are in the order of time."""


class Promotion(BaseModel):
    """An alias that was given to a version.

    approved_by: the user, as the cluster authenticated it; None outside prod where none was stated. run: the
    training run of the version, or the revision of an import. previous: the version that had the alias.
    request: identifies the command, so that one that is repeated after an interruption has one entry.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    team: str
    model: str
    version: str
    alias: str
    action: Literal["promote", "rollback"]
    approved_by: str | None
    at: AwareDatetime
    run: str
    previous: str | None
    manifest_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    has_card: bool
    request: str

    @property
    def key(self) -> str:
        """The name of its object."""
        return f"{self.at.astimezone(UTC).strftime(_TIME)}-{self.version}.json"


@dataclass(frozen=True)
class Log:
    """The log of a model. An entry, which nothing changes, is read once."""

    objects: Objects
    model: names.Model
    _read: dict[str, Promotion] = field(
        default_factory=dict[str, Promotion], init=False, repr=False, compare=False
    )

    @property
    def _prefix(self) -> str:
        return f"{self.model.prefix}{names.PROMOTIONS}/"

    def entries(self, alias: str | None = None) -> list[Promotion]:
        """Return all entries, or those of an alias, the oldest first."""
        entries = [self._entry(key) for key in sorted(self.objects.sizes(self._prefix))]
        return [entry for entry in entries if alias in (None, entry.alias)]

    def _entry(self, key: str) -> Promotion:
        if key not in self._read:
            try:
                self._read[key] = Promotion.model_validate_json(read(self.objects, key) or b"")
            except ValidationError as error:
                raise RefusedError(f"{key}: no entry of a log: {error}") from error
        return self._read[key]

    def append(self, entry: Promotion) -> Promotion:
        """Write an entry after all others, and return it with its time. A request has one entry: where there
        is one already, it is returned."""
        entries = self.entries()
        for known in entries:
            if known.request == entry.request:
                return known
        latest = max((known.at for known in entries), default=entry.at)
        for step in itertools.count():
            # Clocks of two machines differ: the order of keys is that in which entries were written.
            at = max(entry.at, latest + timedelta(microseconds=1)) + timedelta(microseconds=step)
            placed = entry.model_copy(update={"at": at})
            try:
                self.objects.create_bytes(
                    f"{self._prefix}{placed.key}", (placed.model_dump_json(indent=1) + "\n").encode()
                )
            except ExistsError:
                # The request was repeated because its answer was lost, or another entry is there.
                if self._entry(f"{self._prefix}{placed.key}") != placed:
                    continue
            return placed
        raise AssertionError("unreachable")

    def repeated(self, request: str) -> Promotion | None:
        """Return the entry of a request that an earlier attempt has written."""
        return next((entry for entry in self.entries() if entry.request == request), None)


def history(entries: list[Promotion]) -> Iterator[Promotion]:
    """Yield the promotions of an alias that no rollback has undone; the last one has the alias now."""
    stack: list[Promotion] = []
    for entry in entries:
        if entry.action == "rollback":
            while stack and stack[-1].version != entry.version:
                stack.pop()
            if not stack:
                # Another rollback, at the same time, had gone below it.
                stack.append(entry)
        elif not stack or stack[-1].version != entry.version:
            stack.append(entry)
    yield from stack


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)
