"""What an instance's Google Cloud holds: SQLite (WAL), one row a resource, one transaction a request.

A resource's name is `<api>/<relative name>`: `compute/projects/p/regions/r/subnetworks/s`,
`cloudkms/projects/p/locations/l/keyRings/k`, `storage/b/NAME`. Its collection is the API and the last word
of the name but one: `compute.subnetworks`, `cloudkms.keyRings`, `storage.b`.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from twin import state_files

Body = dict[str, Any]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS resources (
  name TEXT PRIMARY KEY,
  collection TEXT NOT NULL,
  body TEXT NOT NULL,
  kept TEXT,
  baseline INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_collection ON resources (collection, name);
-- `at` is when the operation ends; of GKE's own when it began, and the body says whether it runs.
CREATE TABLE IF NOT EXISTS operations (name TEXT PRIMARY KEY, body TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS policies (name TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, status INTEGER NOT NULL, body BLOB NOT NULL, at REAL NOT NULL
);
"""


def collection_of(name: str) -> str:
    """`compute.subnetworks` of `compute/projects/p/regions/r/subnetworks/s`."""
    parts = name.split("/")
    return f"{parts[0]}.{parts[-2]}"


class State:
    """The resources, operations, IAM policies and remembered answers of one instance.

    Use it inside `transaction()`: the API server opens one around every request and every private view, so a
    handler only reads and writes.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = state_files.connect(file, _SCHEMA)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one at a time; an inner one belongs to the outer."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def get(self, name: str) -> Body | None:
        """The resource's body (a copy that may be changed and put back), or None."""
        return self._json("SELECT body FROM resources WHERE name = ?", name)

    def put(
        self, name: str, body: Body, *, internal: Body | None = None, baseline: bool | None = None
    ) -> Body:
        """Write a resource. internal: what the API does not show (None leaves what was kept).

        baseline: whether it was there before anything was made (None leaves it; False at first).
        """
        with self._lock:
            self._connection.execute(
                "INSERT INTO resources (name, collection, body, kept, baseline) VALUES (?, ?, ?, ?, ?) ON "
                "CONFLICT (name) DO UPDATE SET body = excluded.body, kept = COALESCE(excluded.kept, kept), "
                "baseline = CASE WHEN ? THEN excluded.baseline ELSE baseline END",
                (
                    name,
                    collection_of(name),
                    json.dumps(body),
                    None if internal is None else json.dumps(internal),
                    int(bool(baseline)),
                    baseline is not None,
                ),
            )
        return body

    def internal(self, name: str) -> Body:
        """What was kept with the resource; empty where nothing was."""
        return self._json("SELECT kept FROM resources WHERE name = ?", name) or {}

    def keep(self, name: str, internal: Body) -> None:
        """Write what is kept with an existing resource."""
        self._run("UPDATE resources SET kept = ? WHERE name = ?", json.dumps(internal), name)

    def delete(self, name: str) -> None:
        """Remove a resource, all that is below it, and their IAM policies."""
        for table in ("resources", "policies"):
            self._run(
                f"DELETE FROM {table} WHERE name = ? OR (name > ? AND name < ?)",  # noqa: S608
                name,
                f"{name}/",
                f"{name}0",  # "0" is the character after "/"
            )

    def of(self, collection: str, prefix: str = "") -> list[tuple[str, Body]]:
        """(name, body) of a collection (`compute.subnetworks`), by name; those below a prefix."""
        rows = self._rows(
            "SELECT name, body FROM resources WHERE collection = ? AND name >= ? AND name < ? ORDER BY name",
            *(collection, prefix, f"{prefix}\U0010ffff"),
        )
        return [(name, json.loads(body)) for name, body in rows]

    def below(self, name: str) -> list[str]:
        """The names of all resources below one."""
        query = "SELECT name FROM resources WHERE name > ? AND name < ? ORDER BY name"
        return [below_name for (below_name,) in self._rows(query, f"{name}/", f"{name}0")]

    def every(self) -> list[tuple[str, str, bool]]:
        """(collection, name, whether it is of the baseline) of all resources."""
        rows = self._rows("SELECT collection, name, baseline FROM resources ORDER BY collection, name")
        return [(collection, name, bool(baseline)) for collection, name, baseline in rows]

    def operation(self, name: str) -> Body | None:
        """A long-running operation by its full name (`compute/projects/p/global/operations/o`)."""
        rows = self._rows("SELECT body, at FROM operations WHERE name = ?", name)
        return _now(*rows[0]) if rows else None

    def put_operation(self, name: str, body: Body, at: float) -> Body:
        """Write an operation as it is at its end; the answer is what it is now. at: Unix time of its end.

        GKE's end with their nodes (services/container/operations/operations.py): they give their start.
        """
        text = json.dumps(body)
        self._run("INSERT OR REPLACE INTO operations VALUES (?, ?, ?)", name, text, at)
        return _now(text, at)

    def operations(self, prefix: str) -> list[tuple[str, Body]]:
        """(name, body) of the operations below a prefix, the first to end first."""
        return [(name, _now(body, at)) for name, body, at in self._operations(prefix)]

    def ended(self, prefix: str) -> list[str]:
        """The names of the operations below a prefix that are at their end, the first to end first."""
        return [name for name, _, at in self._operations(prefix) if at <= time.time()]

    def forget_operation(self, name: str) -> None:
        """Drop an operation."""
        self._run("DELETE FROM operations WHERE name = ?", name)

    def policy(self, name: str) -> Body | None:
        """The IAM policy that was set on a resource."""
        return self._json("SELECT body FROM policies WHERE name = ?", name)

    def put_policy(self, name: str, policy: Body) -> Body:
        """Write a resource's IAM policy."""
        self._run("INSERT OR REPLACE INTO policies VALUES (?, ?)", name, json.dumps(policy))
        return policy

    def policies(self) -> list[tuple[str, Body]]:
        """(resource, policy) of all resources that have one."""
        rows = self._rows("SELECT name, body FROM policies ORDER BY name")
        return [(name, json.loads(body)) for name, body in rows]

    def answer(self, key: str) -> tuple[int, bytes] | None:
        """The answer that was given to an intent."""
        rows = self._rows("SELECT status, body FROM answers WHERE key = ?", key)
        return (int(rows[0][0]), bytes(rows[0][1])) if rows else None

    def remember(self, key: str, status: int, body: bytes, at: float) -> None:
        """Keep the answer to an intent."""
        self._run("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", key, status, body, at)

    def forget(self, before: float) -> None:
        """Drop the answers and the operations from before a Unix time: they are not asked for any more."""
        self._run("DELETE FROM answers WHERE at < ?", before)
        self._run("DELETE FROM operations WHERE at < ? AND body LIKE '%DONE%'", before)

    def meta(self, key: str, make: Callable[[], str]) -> str:
        """A value that is made once."""
        with self._lock:
            rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
            if rows:
                return str(rows[0][0])
            value = make()
            self._connection.execute("INSERT INTO meta VALUES (?, ?)", (key, value))
            return value

    def set_meta(self, key: str, value: str) -> None:
        """Write a value."""
        self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _operations(self, prefix: str) -> list[tuple[str, str, float]]:
        query = "SELECT name, body, at FROM operations WHERE name >= ? AND name < ? ORDER BY at, name"
        return self._rows(query, prefix, f"{prefix}\U0010ffff")

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _run(self, statement: str, *values: Any) -> None:
        with self._lock:
            self._connection.execute(statement, values)

    def _json(self, query: str, name: str) -> Body | None:
        rows = self._rows(query, name)
        return json.loads(rows[0][0]) if rows and rows[0][0] else None


def _now(text: str, at: float) -> Body:
    """An operation, at its end or before it."""
    body: Body = json.loads(text)
    if at <= time.time():
        return body
    for name in ("endTime", "response", "error", "statusMessage"):
        body.pop(name, None)
    if "done" in body:
        body["done"] = False
    if body.get("status") == "DONE":
        body["status"] = "RUNNING"
    if "progress" in body:
        body["progress"] = 0
    return body
