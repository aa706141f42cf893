"""What an instance remembers of its queries: the executions and their results, in its folder.

The journal makes StartQueryExecution again when an instance starts, and the calls that the query made; what
the query answered is no call, so it is kept here.
"""

from __future__ import annotations

import json
import threading
import time
import zlib
from pathlib import Path
from typing import Any, Final

from twin import state_files

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS executions (
  id TEXT PRIMARY KEY, workgroup TEXT NOT NULL, at REAL NOT NULL, told TEXT NOT NULL, more TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS results (id TEXT PRIMARY KEY, columns TEXT NOT NULL, rows BLOB NOT NULL);
"""
UNFINISHED: Final = ("QUEUED", "RUNNING")

Document = dict[str, Any]


class Store:
    """Executions by id. reported: as GetQueryExecution reports it. more: what else is known of it."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._db = state_files.connect(file, _SCHEMA)
        self._abandoned()

    def put(self, reported: Document, more: Document) -> None:
        """Keep an execution as it is now."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?, ?)",
                (
                    reported["QueryExecutionId"],
                    reported["WorkGroup"],
                    reported["Status"]["SubmissionDateTime"],
                    json.dumps(reported),
                    json.dumps(more),
                ),
            )

    def get(self, id: str) -> tuple[Document, Document] | None:
        """An execution, or None."""
        with self._lock:
            row = self._db.execute("SELECT told, more FROM executions WHERE id = ?", (id,)).fetchone()
        return (json.loads(row[0]), json.loads(row[1])) if row else None

    def of(self, workgroup: str) -> list[str]:
        """A workgroup's executions, the latest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id FROM executions WHERE workgroup = ? ORDER BY at DESC, rowid DESC", (workgroup,)
            ).fetchall()
        return [row[0] for row in rows]

    def put_result(self, id: str, columns: list[Document], rows: list[list[str | None]]) -> None:
        """Keep what a query gave."""
        with self._lock:
            packed = zlib.compress(json.dumps(rows).encode())
            self._db.execute(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?)", (id, json.dumps(columns), packed)
            )

    def result(self, id: str) -> tuple[list[Document], list[list[str | None]]]:
        """What a query gave."""
        with self._lock:
            row = self._db.execute("SELECT columns, rows FROM results WHERE id = ?", (id,)).fetchone()
        return (json.loads(row[0]), json.loads(zlib.decompress(row[1]))) if row else ([], [])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _abandoned(self) -> None:
        """Queries that ran when the process died: they are not run again, as what they had written stays."""
        for (id,) in self._db.execute("SELECT id FROM executions").fetchall():
            reported, more = self.get(id) or ({}, {})
            if reported["Status"]["State"] in UNFINISHED:
                reported["Status"] |= {
                    "State": "FAILED",
                    "StateChangeReason": "INTERNAL_ERROR_QUERY_ENGINE: the twin stopped while the query ran",
                    "CompletionDateTime": time.time(),
                    "AthenaError": {"ErrorCategory": 1, "ErrorType": 100, "Retryable": True},
                }
                self.put(reported, more)
