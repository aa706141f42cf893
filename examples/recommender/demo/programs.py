"""The programs of the demo: services of this example and programs of containers/, each in the environment of
its lock.

They get the variables that Pods of the team have, with stores in files: a catalog of Iceberg and a model
registry in SQLite, Feast's local stores, and a server of moto as bucket and queue.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twin.toolchain.cache import cache_dir
from twin.toolchain.system_tools import find_uv

EXAMPLE: Final = Path(__file__).resolve().parents[1]
ROOT: Final = EXAMPLE.parents[1]
SERVICES: Final[Mapping[str, Path]] = {
    **{name: EXAMPLE / name for name in ("ingestion", "features", "training", "serving", "monitoring")},
    **{name: ROOT / "containers" / name for name in ("training_steps", "model_monitor", "model_server")},
}
"""Program -> its folder, which has the lock."""
_GROUPS: Final = {"serving": None, "model_server": None, "training_steps": "test", "model_monitor": "test"}
"""Group of packages for local stores; `local` by default."""
START_SECONDS: Final = 180
"""How long a server may take to answer."""


class ProgramError(Exception):
    """A program that ended with an error. The text has the end of its output."""


@dataclass
class Programs:
    """Runs programs. home: of all stores and logs. variables: what all programs get."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict[str, str])
    _servers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, "subprocess.Popen[bytes]"])

    def command(self, program: str, *words: str) -> list[str]:
        """Return the command line that runs words in a program's environment."""
        uv = find_uv()
        if uv is None:
            raise ProgramError("uv is not installed: `make setup` installs it")
        group = _GROUPS.get(program, "local")
        groups = ("--group", group) if group else ()
        return [uv, "run", "--project", str(SERVICES[program]), "--frozen", "--quiet", *groups, *words]

    def environment(self, program: str, **more: str) -> dict[str, str]:
        """Return the variables of a program. None of this machine's clouds is among them."""
        private = ("AWS_", "GOOGLE_", "PYICEBERG_", "MLFLOW_", "PYTHON", "VIRTUAL_ENV", "FEAST_")
        machine = {name: value for name, value in os.environ.items() if not name.startswith(private)}
        return {
            **machine,
            "UV_PROJECT_ENVIRONMENT": str(cache_dir() / "recommender" / program),
            "PYTHONPATH": os.pathsep.join([str(SERVICES[program]), str(EXAMPLE)]),
            **self.variables,
            **more,
        }

    def sync(self, program: str) -> None:
        """Install a program's packages."""
        self.run(program, "python", "-c", "pass")

    def run(self, program: str, *words: str, expected: tuple[int, ...] = (0,), **more: str) -> str:
        """Run words to their end; return their output. Raises ProgramError for another exit code."""
        log = self.home / "logs" / f"{program}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            done = subprocess.run(
                self.command(program, *words),
                cwd=self.home,
                env=self.environment(program, **more),
                stdout=subprocess.PIPE,
                stderr=errors,
                check=False,
            )
        if done.returncode not in expected:
            end = log.read_text(errors="replace")[-2000:]
            raise ProgramError(f"{program}: {' '.join(words)} ended with {done.returncode}:\n{end}")
        return done.stdout.decode()

    def module(self, program: str, *words: str, **more: Any) -> Any:
        """Run a module of a program; return what it prints as JSON, or None."""
        text = self.run(program, "python", "-m", program, *words, **more)
        return json.loads(text.splitlines()[-1]) if text.strip() else None

    def serve(self, name: str, program: str, *words: str, health: str, **more: str) -> None:
        """Start a server, and wait until its health route answers. It is in a process group, which `close`
        ends."""
        log = self.home / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._servers[name] = subprocess.Popen(
                self.command(program, *words),
                cwd=self.home,
                env=self.environment(program, **more),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while not _answers(health):
            if self._servers[name].poll() is not None or time.monotonic() > end:
                raise ProgramError(
                    f"{name} does not answer at {health}:\n{log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(0.3)

    @property
    def running(self) -> list[str]:
        """The names of the servers that run."""
        return [name for name, server in self._servers.items() if server.poll() is None]

    def stop(self, name: str) -> None:
        """End a server with its processes."""
        server = self._servers.pop(name)
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()

    def close(self) -> None:
        """End all servers."""
        for name in list(self._servers):
            self.stop(name)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def request(url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """Return the JSON that a URL of this machine answers; with a body it is a POST."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - of this machine
        return json.loads(answer.read())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - of this machine
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def emptied(home: Path) -> Path:
    """Return a folder without the stores of an earlier run. Raises ProgramError for one that is not the
    demo's."""
    marker = home / ".recommender-demo"
    if home.exists() and any(home.iterdir()) and not marker.exists():
        raise ProgramError(f"{home}: not empty and not of the demo; expected another folder")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    marker.touch()
    return home
