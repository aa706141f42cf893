"""What the providers remember between runs: intents and results, in SQLite.

A row is written before the cloud is asked for a resource (the intent) and again before the engine is answered
(the result). When provider, engine or machine die between the two, the next Create for the URN finds the row
and adopts its resource. A result that the engine has mentioned once (in a Diff, Read, Update or Delete)
is known to it and never adopted.

The file holds inputs and outputs in clear, secrets too, as the instance's folder does: mode 0600.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twin import state_files
from twin.property_values import dumps, loads
from twin.provider_interface import Props

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS resources (
    intent TEXT PRIMARY KEY,
    urn TEXT NOT NULL,
    token TEXT NOT NULL,
    id TEXT,
    inputs TEXT NOT NULL,
    outputs TEXT,
    state TEXT NOT NULL CHECK (state IN ('intent', 'created', 'failed', 'deleted')),
    acknowledged INTEGER NOT NULL DEFAULT 0,
    begun REAL NOT NULL,
    ended REAL,
    unfinished TEXT,
    config TEXT,
    answered INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS resources_urn ON resources (urn) WHERE state IN ('intent', 'created');
CREATE INDEX IF NOT EXISTS resources_id ON resources (token, id);
CREATE TABLE IF NOT EXISTS updates (
    token TEXT NOT NULL,
    id TEXT NOT NULL,
    inputs TEXT NOT NULL,
    intent TEXT NOT NULL,
    begun REAL NOT NULL,
    PRIMARY KEY (token, id)
);
"""


@dataclass(frozen=True)
class Row:
    """One resource that was asked for."""

    intent: str
    urn: str
    token: str
    id: str | None
    """None where only the intent is known."""
    inputs: Props
    outputs: Props
    state: str
    """`intent`, `created`, `failed` or `deleted`."""
    acknowledged: bool
    """Whether the engine has ever mentioned the id."""
    config: Props = field(default_factory=dict[str, Any])
    """The configuration of the provider that was asked."""
    unfinished: str = ""
    """Why its create ended before all of it was made; empty where it did not."""


class Store:
    """The providers' memory; safe for many threads and for many processes on one file.

    path: the file, made if missing; None keeps all in memory (tests).
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        if path:
            state_files.require(path)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._connection: sqlite3.Connection = state_files.connect(path, _SCHEMA, timeout=30)
        else:
            self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            self._connection.executescript(_SCHEMA)
        self._add_columns()
        self._mentioned: set[tuple[str, str, str]] = set()
        self._begun: set[str] = set()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def begin(self, urn: str, token: str, inputs: Props, config: Props | None = None) -> str:
        """Write the intent to create; answer its name, a key for every call that it makes.

        config: of the provider that is asked.
        """
        intent = uuid.uuid4().hex
        self._begun.add(intent)
        self._run(
            "INSERT INTO resources (intent, urn, token, inputs, state, begun, config)"
            " VALUES (?, ?, ?, ?, 'intent', ?, ?)",
            intent,
            urn,
            token,
            dumps(inputs),
            time.time(),
            dumps(config or {}),
        )
        return intent

    def created(
        self, intent: str, id: str, inputs: Props, outputs: Props, *, unfinished: str | None = None
    ) -> None:
        """Write the result of an intent, or the newer inputs and outputs of a result.

        unfinished: why the create ended before all of it was made.
        """
        self._run(
            "UPDATE resources SET id = ?, inputs = ?, outputs = ?, state = 'created', ended = ?,"
            " unfinished = ? WHERE intent = ?",
            id,
            dumps(inputs),
            dumps(outputs),
            time.time(),
            unfinished,
            intent,
        )

    def unfinished(self, token: str, id: str) -> str:
        """Why the create of this resource ended before all of it was made; empty where it did not."""
        with self._lock:
            row = self._connection.execute(
                "SELECT unfinished FROM resources WHERE token = ? AND id = ? AND state = 'created'"
                " AND unfinished IS NOT NULL",
                (token, id),
            ).fetchone()
        return str(row[0]) if row else ""

    def finished(self, token: str, id: str) -> None:
        """What the create had left unfinished is made."""
        self._run("UPDATE resources SET unfinished = NULL WHERE token = ? AND id = ?", token, id)

    def failed(self, intent: str) -> None:
        """The cloud said no, and nothing is left of it."""
        self._close(intent, "failed")

    def gone(self, intent: str) -> None:
        """The row's resource is not in the cloud any more."""
        self._close(intent, "deleted")

    def deleted(self, token: str, id: str) -> None:
        """The resource with this id was deleted."""
        self._run(
            "UPDATE resources SET state = 'deleted', ended = ?"
            " WHERE token = ? AND id = ? AND state = 'created'",
            time.time(),
            token,
            id,
        )

    def live(self, urn: str) -> list[Row]:
        """Intents without result, and results not deleted, of a URN; the newest first."""
        return self._rows(
            "SELECT * FROM resources WHERE urn = ? AND state IN ('intent', 'created') ORDER BY begun DESC",
            urn,
        )

    def every(self) -> list[Row]:
        """All rows that are live."""
        return self._rows("SELECT * FROM resources WHERE state IN ('intent', 'created') ORDER BY begun")

    def has_stack(self, stack: str) -> bool:
        """Whether there are resources of a stack that its engine knows."""
        return bool(
            self._rows(
                "SELECT * FROM resources WHERE urn LIKE ? AND state = 'created'"
                " AND (acknowledged = 1 OR answered = 1) LIMIT 1",
                f"urn:pulumi:{stack}::%",
            )
        )

    def unsettled(self, stack: str) -> list[Row]:
        """Creates of a stack of which the engine may know nothing: without result, or with one that no engine
        mentioned and whose provider did not end in order after it."""
        return self._rows(
            "SELECT * FROM resources WHERE urn LIKE ? AND (state = 'intent'"
            " OR (state = 'created' AND acknowledged = 0 AND answered = 0)) ORDER BY begun DESC",
            f"urn:pulumi:{stack}::%",
        )

    def answered(self) -> None:
        """The engine got the results of all creates that were begun here: it ends its provider in order."""
        for intent in self._begun:
            self._run("UPDATE resources SET answered = 1 WHERE intent = ? AND state = 'created'", intent)

    def mention(self, urn: str, token: str, id: str) -> None:
        """The engine used this id: it knows the resource, under this URN from now on (aliases rename)."""
        key = (urn, token, id)
        if not id or key in self._mentioned:
            return
        self._run(
            "UPDATE resources SET acknowledged = 1, urn = ? WHERE token = ? AND id = ? AND state = 'created'",
            urn,
            token,
            id,
        )
        self._mentioned.add(key)

    def begin_update(self, token: str, id: str, inputs: Props) -> str:
        """The intent of an update. One that was begun with the same inputs and not ended is resumed."""
        wanted = dumps(inputs)
        with self._lock:
            row = self._connection.execute(
                "SELECT intent FROM updates WHERE token = ? AND id = ? AND inputs = ?", (token, id, wanted)
            ).fetchone()
            if row:
                return str(row[0])
            intent = uuid.uuid4().hex
            self._connection.execute(
                "INSERT OR REPLACE INTO updates (token, id, inputs, intent, begun) VALUES (?, ?, ?, ?, ?)",
                (token, id, wanted, intent, time.time()),
            )
            return intent

    def end_update(self, token: str, id: str, inputs: Props | None, outputs: Props | None) -> None:
        """The update has an answer: new inputs and outputs, or None where the cloud refused it."""
        with self._lock:
            self._connection.execute("DELETE FROM updates WHERE token = ? AND id = ?", (token, id))
            if inputs is not None and outputs is not None:
                self._connection.execute(
                    "UPDATE resources SET inputs = ?, outputs = ?"
                    " WHERE token = ? AND id = ? AND state = 'created'",
                    (dumps(inputs), dumps(outputs), token, id),
                )

    def _add_columns(self) -> None:
        """Bring the file of an older twin to this shape."""
        columns = {row[1] for row in self._connection.execute("PRAGMA table_info(resources)")}
        added = {"unfinished": "TEXT", "config": "TEXT", "answered": "INTEGER NOT NULL DEFAULT 1"}
        for name, kind in added.items():
            if name not in columns:
                with contextlib.suppress(sqlite3.OperationalError):  # another provider did it meanwhile
                    self._connection.execute(f"ALTER TABLE resources ADD COLUMN {name} {kind}")

    def _close(self, intent: str, state: str) -> None:
        self._run("UPDATE resources SET state = ?, ended = ? WHERE intent = ?", state, time.time(), intent)

    def _run(self, statement: str, *values: Any) -> None:
        with self._lock:
            self._connection.execute(statement, values)

    def _rows(self, query: str, *values: Any) -> list[Row]:
        with self._lock:
            cursor = self._connection.execute(query, values)
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, values, strict=True)) for values in cursor]
        return [
            Row(
                intent=row["intent"],
                urn=row["urn"],
                token=row["token"],
                id=row["id"],
                inputs=loads(row["inputs"]),
                outputs=loads(row["outputs"]) if row["outputs"] else {},
                state=row["state"],
                acknowledged=bool(row["acknowledged"]),
                config=loads(row["config"]) if row["config"] else {},
                unfinished=row["unfinished"] or "",
            )
            for row in rows
        ]
