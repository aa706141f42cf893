"""What EKS remembers: one JSON document a thing, in SQLite."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twin import state_files

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS things (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  cluster TEXT NOT NULL,
  name TEXT NOT NULL,
  shown TEXT NOT NULL,
  kept TEXT NOT NULL,
  UNIQUE (kind, cluster, name)
);
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, status INTEGER NOT NULL, body TEXT NOT NULL);
"""


@dataclass
class Thing:
    """A cluster, node group, add-on... description: as the API describes it. internal: what the API
    does not report."""

    kind: str
    cluster: str
    name: str
    description: dict[str, Any]
    internal: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def status(self) -> str:
        """The API's status."""
        return self.description.get("status", "")


class Store:
    """All things of one instance's EKS."""

    def __init__(self, file: Path) -> None:
        self.lock = threading.RLock()
        self._db = state_files.connect(file, _SCHEMA)
        self._depth = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within is written together, or not at all."""
        with self.lock:
            self._depth += 1
            if self._depth == 1:
                self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._depth -= 1
                if not self._depth:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if not self._depth:
                self._db.execute("COMMIT")

    def get(self, kind: str, cluster: str, name: str) -> Thing | None:
        """One thing, or None."""
        with self.lock:
            row = self._db.execute(
                "SELECT shown, kept FROM things WHERE kind = ? AND cluster = ? AND name = ?",
                (kind, cluster, name),
            ).fetchone()
        return Thing(kind, cluster, name, json.loads(row[0]), json.loads(row[1])) if row else None

    def every(self, kind: str, cluster: str = "") -> list[Thing]:
        """All things of a kind, of a cluster or of all, in the order they were made."""
        with self.lock:
            rows = self._db.execute(
                "SELECT cluster, name, shown, kept FROM things WHERE kind = ? AND (? = '' "
                "OR cluster = ?) ORDER BY n",
                (kind, cluster, cluster),
            ).fetchall()
        return [Thing(kind, row[0], row[1], json.loads(row[2]), json.loads(row[3])) for row in rows]

    def put(self, thing: Thing) -> None:
        """Write a thing."""
        with self.lock:
            self._db.execute(
                "INSERT INTO things (kind, cluster, name, shown, kept) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (kind, cluster, name) DO UPDATE SET shown = excluded.shown, "
                "kept = excluded.kept",
                (
                    thing.kind,
                    thing.cluster,
                    thing.name,
                    json.dumps(thing.description),
                    json.dumps(thing.internal),
                ),
            )

    def remove(self, thing: Thing) -> None:
        """Forget a thing."""
        with self.lock:
            self._db.execute(
                "DELETE FROM things WHERE kind = ? AND cluster = ? AND name = ?",
                (thing.kind, thing.cluster, thing.name),
            )

    def remove_all(self, cluster: str) -> None:
        """Forget a cluster and all that is in it."""
        with self.lock:
            self._db.execute("DELETE FROM things WHERE cluster = ?", (cluster,))

    def answered(self, key: str | None) -> tuple[int, str] | None:
        """What a call with this key answered."""
        if key is None:
            return None
        with self.lock:
            return self._db.execute("SELECT status, body FROM answers WHERE key = ?", (key,)).fetchone()

    def answer(self, key: str | None, status: int, body: str) -> None:
        """Remember an answer."""
        if key is not None:
            with self.lock:
                self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, status, body))

    def close(self) -> None:
        """Close the file."""
        self._db.close()
