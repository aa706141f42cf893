"""The memory that moto lacks: every call that changes something, in order, with its time and its draws.

Its place in the order is its seed; what it drew is written down with its answer, and handed to it again.

A call is written before it is made and its answer after, so that whatever moment the process is killed at,
the next one makes the same calls again and has the same cloud (docs/adr/0002).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twin import state_files
from twin.aws.api_server.recorded_randomness import Drawn, Draws
from twin.aws.api_server.request import Answer, Call

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  key TEXT,
  environ TEXT NOT NULL,
  body BLOB NOT NULL,
  at REAL NOT NULL,
  status INTEGER,
  headers TEXT,
  answer BLOB,
  draws TEXT
);
CREATE INDEX IF NOT EXISTS calls_by_key ON calls (key) WHERE key IS NOT NULL;
"""
_SEED_STEP: Final = 0x9E3779B97F4A7C15  # spreads neighbouring numbers over all 64 bits
_SEED_MASK: Final = (1 << 62) - 1

_VERSION: Final = 2
"""Of the schema: 1 had no draws, and is taken over. Kept in SQLite's user_version."""
# What names a thing in an answer: EC2's ids, UUIDs, IAM's unique ids and keys, ARNs.
_IDS: Final = re.compile(
    rb"\b[a-z]{1,12}-[0-9a-f]{8,17}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    rb"|\bA[A-Z]{3}[A-Z0-9]{12,17}\b|\barn:aws[a-z-]*:[^\s\"<>]+"
)
# What names the request and not a thing.
_REQUEST: Final = re.compile(rb'(?i)<requestid>[^<]*<|"requestid"\s*:\s*"[^"]*"')

Write = Callable[[Call, Draws, float], Answer]


@dataclass
class Replay:
    """What a start found."""

    calls: int = 0
    finished: int = 0
    """Calls that were written but not answered when the process died: made now."""
    differing: list[str] = field(default_factory=list[str])
    """Calls that answered something else than they did when they were made, with the same ids."""
    renamed: list[str] = field(default_factory=list[str])
    """Calls that gave other ids, or were refused: what a stack knows of them is no longer so."""
    strange: int = 0
    """Calls that drew what they had not drawn before: the code has changed, and it did not matter."""
    seconds: float = 0.0


class Journal:
    """One instance's journal. Not for two processes at once; threads take turns."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._db = state_files.connect(file, _SCHEMA, version=_VERSION)
        self._migrate()

    def meta(self, key: str, default: Callable[[], str]) -> str:
        """A fact of the journal; `default` is kept on first use."""
        with self._lock:
            self._db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, default()))
            return self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]

    def recall(self, key: str) -> str | None:
        """A fact that may not be there."""
        with self._lock:
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Change a fact."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def answered(self, key: str | None) -> Answer | None:
        """What a call with this key answered, if it was made."""
        if key is None:
            return None
        with self._lock:
            row = self._db.execute(
                "SELECT status, headers, answer FROM calls WHERE key = ? AND status IS "
                "NOT NULL ORDER BY n LIMIT 1",
                (key,),
            ).fetchone()
        return _answer(*row) if row else None

    def perform(self, call: Call, write: Write) -> Answer:
        """Make a call exactly once: written, made, its answer written. A refused call leaves nothing."""
        with self._lock:
            at = time.time()
            number = self._db.execute(
                "INSERT INTO calls (name, key, environ, body, at) VALUES (?, ?, ?, ?, ?)",
                (f"{call.service}:{call.operation}", call.key, call.to_json(), call.body, at),
            ).lastrowid
            return self._make(int(number or 0), call, at, write)

    def replay(self, write: Write) -> Replay:
        """Make all calls again, in order; finish those that were not answered."""
        replay = Replay()
        begun = time.perf_counter()
        with self._lock:
            for number, name, call, at, was, draws in self._rows():
                if was is None:
                    self._make(number, call, at, write)
                    replay.finished += 1
                    continue
                chance = Draws(_seed(number), draws)
                now = write(call, chance, at)
                replay.calls += 1
                replay.strange += bool(chance.strange)
                other = _other_ids(was, now)
                if other:
                    replay.renamed.append(f"{number} {name}: {other}")
                elif (now.status, now.body) != (was.status, was.body):
                    replay.differing.append(f"{number} {name}: {was.status} was, {now.status} is")
                if not other and (draws is None or chance.strange):
                    self._keep_draws(number, chance)
        replay.seconds = time.perf_counter() - begun
        return replay

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._db.execute("DELETE FROM calls")
            self._db.execute("DELETE FROM meta")
            self._db.execute("VACUUM")

    def __len__(self) -> int:
        with self._lock:
            return self._db.execute("SELECT count(*) FROM calls").fetchone()[0]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _make(self, number: int, call: Call, at: float, write: Write) -> Answer:
        chance = Draws(_seed(number))
        try:
            answer = write(call, chance, at)
        except BaseException:
            self._db.execute("DELETE FROM calls WHERE n = ?", (number,))
            raise
        if answer.good:
            self._db.execute(
                "UPDATE calls SET status = ?, headers = ?, answer = ?, draws = ? WHERE n = ?",
                (answer.status, json.dumps(answer.headers), answer.body, json.dumps(chance.record()), number),
            )
        else:
            self._db.execute("DELETE FROM calls WHERE n = ?", (number,))
        return answer

    def _keep_draws(self, number: int, chance: Draws) -> None:
        self._db.execute("UPDATE calls SET draws = ? WHERE n = ?", (json.dumps(chance.record()), number))

    def _migrate(self) -> None:
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(calls)")}
        if "draws" not in columns:
            self._db.execute("ALTER TABLE calls ADD COLUMN draws TEXT")

    def _rows(self) -> Iterator[tuple[int, str, Call, float, Answer | None, Drawn | None]]:
        # A list of numbers first: rows are changed and deleted on the way, and bodies may be large.
        numbers = [row[0] for row in self._db.execute("SELECT n FROM calls ORDER BY n")]
        for number in numbers:
            name, environ, body, at, status, headers, answer, draws = self._db.execute(
                "SELECT name, environ, body, at, status, headers, answer, draws FROM calls WHERE n = ?",
                (number,),
            ).fetchone()
            was = None if status is None else _answer(status, headers, answer)
            drawn: Drawn | None = json.loads(draws) if draws else None
            yield number, name, Call.restored(json.loads(environ), body), at, was, drawn


def _seed(number: int) -> int:
    return (number * _SEED_STEP) & _SEED_MASK


def _other_ids(was: Answer, now: Answer) -> str:
    """Which ids are others than before, or that the call is refused now; empty where all are as before."""
    if was.good and not now.good:
        return f"{was.status} was, {now.status} is: {now.body[:300].decode(errors='replace')}"
    if was.body == now.body:
        return ""
    before, after = (_IDS.findall(_REQUEST.sub(b"", answer.body)) for answer in (was, now))
    gone = [draw.decode() for draw in before if draw not in after]
    come = [draw.decode() for draw in after if draw not in before]
    return f"{', '.join(gone[:3])} was, {', '.join(come[:3]) or 'nothing'} is" if gone else ""


def _answer(status: int, headers: str, body: bytes) -> Answer:
    pairs: list[Any] = json.loads(headers)
    return Answer(status, [(name, value) for name, value in pairs], body)
