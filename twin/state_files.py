"""Files that contain a twin's state, opened so that a damaged or missing one is an error that names it.

SQLite takes a missing or empty file for a new database, which would be an empty cloud. The folder `recorded/`
of the twin therefore has an empty file for each state file that the twin has had.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from twin import instances
from twin.instances import RECORDS, Instance, InstanceError

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNUSABLE: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)
_PRIMARY_CODE: Final = 0xFF
"""Mask of SQLite's primary code in an extended one."""
_TABLE: Final = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)")


class StateFileError(InstanceError):
    """A state file that cannot be used; the message names the file and the way out."""


def damaged(file: Path, problem: object) -> StateFileError:
    """Return the error of a file whose content is lost. problem: what is wrong with it."""
    return StateFileError(
        f"{file} is damaged ({problem}); `aiplatform twin reset --name {_twin(file)}` deletes the twin, "
        "and the next start creates it again"
    )


def unusable(file: Path, problem: object) -> StateFileError:
    """Return the error of a file whose content is intact and cannot be read or written."""
    return StateFileError(
        f"{file}: {problem}; expected a file that this user can read and write, on a disk with free space"
    )


def record(file: Path) -> None:
    """Note that the twin has this file from now on."""
    mark = _mark(file)
    if not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark.touch(mode=0o600)


def is_recorded(file: Path) -> bool:
    """Return whether the twin has had this file."""
    return _mark(file).exists()


def require(file: Path) -> None:
    """Raise StateFileError where the twin has had this file, and it is missing or empty."""
    if not is_recorded(file):
        return
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        raise damaged(file, "the file is missing") from None
    except OSError as error:
        raise unusable(file, error.strerror) from error
    if not size:
        raise damaged(file, "the file is empty")


def read(file: Path, parse: Callable[[str], Any]) -> Any:
    """Return what `parse` returns of the file's text.

    parse: raises ValueError, TypeError or KeyError. Raises StateFileError where the file cannot be read or
    parsed, and FileNotFoundError where the twin never had it.
    """
    require(file)
    try:
        return parse(file.read_text())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unusable(file, error.strerror) from error
    except (ValueError, TypeError, KeyError) as error:
        raise damaged(file, error) from error


class Database(sqlite3.Connection):
    """A connection whose errors name its file. `connect` creates it."""

    file: Path

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement. Raises StateFileError for a damaged file, a full disk and the like."""
        with self._named():
            return super().execute(*arguments)

    def executescript(self, script: str, /) -> sqlite3.Cursor:
        """Execute statements, as `execute`."""
        with self._named():
            return super().executescript(script)

    @contextlib.contextmanager
    def _named(self) -> Any:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
            if code in _DAMAGED:
                raise damaged(self.file, error) from error
            if code in _UNUSABLE:
                raise unusable(self.file, error) from error
            raise


def connect(file: Path, schema: str, *, version: int = 1, timeout: float = 5.0) -> Database:
    """Open a database of the twin, for many threads; it is created where the twin never had it.

    schema: statements `CREATE ... IF NOT EXISTS`. version: of the schema; files of earlier versions are
    accepted. timeout: seconds that a write waits for that of another process. A commit survives the death of
    every process; a power cut may lose the last ones.

    Raises StateFileError where the file is missing, empty, no database, damaged, of a newer version, or
    cannot be read and written.
    """
    require(file)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        connection = sqlite3.connect(
            file, check_same_thread=False, isolation_level=None, timeout=timeout, factory=Database
        )
    except sqlite3.OperationalError as error:
        raise unusable(file, error) from error
    connection.file = file
    try:
        _check(connection, schema, version)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(schema)
        if _version(connection) != version:
            connection.execute(f"PRAGMA user_version = {version}")
    except BaseException:
        connection.close()
        raise
    record(file)
    return connection


def check(instance: Instance) -> None:
    """Raise StateFileError for the first damaged or missing state file of a twin."""
    for mark in sorted((instance.folder / RECORDS).glob("*")):
        require(instance.folder / mark.name.replace("!", "/"))
    for name in ("aws/journal.db", "aws/eks.db", "aws/athena.db", "gcp/state.db", "store.db"):
        file = instance.folder / name
        if is_recorded(file):
            _check_header(file)


def _check(connection: Database, schema: str, version: int) -> None:
    stated = _version(connection)
    if stated > version:
        raise StateFileError(
            f"{connection.file} is of version {stated}, and this code knows {version}, which is older: "
            "go back to that code, or "
            f"`aiplatform twin reset --name {_twin(connection.file)}` deletes the twin"
        )
    result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if result != "ok":
        raise damaged(connection.file, " ".join(result.split()))
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if is_recorded(connection.file) and not tables & set(_TABLE.findall(schema)):
        raise damaged(connection.file, "none of its tables exists")


def _check_header(file: Path) -> None:
    """Read the first page: a running process may have the file open."""
    try:
        with file.open("rb") as stream:
            header = stream.read(100)
    except OSError as error:
        raise unusable(file, error.strerror) from error
    if not header.startswith(b"SQLite format 3\0") or len(header) < 100:
        raise damaged(file, "file is not a database")


def _version(connection: Database) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _mark(file: Path) -> Path:
    folder = _folder(file)
    return folder / RECORDS / "!".join(file.relative_to(folder).parts)


def _folder(file: Path) -> Path:
    """Return the folder of the file's twin; outside of one the file's own."""
    twins = instances.home() / "twins"
    if file.is_relative_to(twins):
        return twins / file.relative_to(twins).parts[0]
    return file.parent


def _twin(file: Path) -> str:
    return _folder(file).name
