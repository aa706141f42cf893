"""Backups of a PostgreSQL and its recovery to a point in time, by a base backup and the archived log
(PostgreSQL documentation, "Continuous Archiving and Point-in-Time Recovery")."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.end_to_end.postgres import ADMIN, Postgres
from twin.tests.waiting import eventually


@dataclass
class ArchivedPostgres(Postgres):
    """A PostgreSQL whose log is archived. Call `archive` after `initialize`."""

    def archive(self) -> None:
        """Archive the log from now on, and take a base backup."""
        self._log.mkdir()
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("local replication all trust\n")
        self._give_to_server(self._log)
        self.sql(
            "ALTER SYSTEM SET archive_mode = 'on'",
            f"ALTER SYSTEM SET archive_command = 'cp %p {self._log}/%f'",
        )
        self._restart()
        self._run(
            "pg_basebackup",
            *("--host", str(self.sockets), "--port", str(self.port), "--username", ADMIN),
            *("--pgdata", str(self._base), "--checkpoint", "fast", "--wal-method", "none", "--no-sync"),
        )

    def restore(self, at: datetime) -> None:
        """Replace the data by that of a time: the base backup and the log up to then."""
        self.sql("SELECT pg_switch_wal()")
        name = self.sql("SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")
        eventually("the log is archived", lambda: (self._log / name).exists())
        self._halt()
        shutil.rmtree(self._data)
        shutil.copytree(self._base, self._data)
        with (self._data / "postgresql.auto.conf").open("a") as settings:
            settings.write(
                f"restore_command = 'cp {self._log}/%f %p'\n"
                f"recovery_target_time = '{at.isoformat()}'\nrecovery_target_action = 'promote'\n"
                # The restored instance has another log.
                "archive_mode = 'off'\n"
            )
        (self._data / "recovery.signal").touch()
        for path in (self._data, *self._data.rglob("*")):
            self._give_to_server(path)
        self._data.chmod(0o700)
        self.start()
        eventually("the end of recovery", lambda: self.sql("SELECT pg_is_in_recovery()") == "f")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _base(self) -> Path:
        return self.folder / "base"

    @property
    def _log(self) -> Path:
        return self.folder / "archived"

    def _give_to_server(self, path: Path) -> None:
        if self._user is not None:
            shutil.chown(path, self._user, self._user)

    def _halt(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def _restart(self) -> None:
        self._halt()
        self.start()
