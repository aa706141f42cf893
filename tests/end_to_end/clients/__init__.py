"""Clients of other projects (PyIceberg, Feast, MLflow), each in a separate environment with a lock.

    clients/<client>/pyproject.toml, uv.lock    what its user installs; no package of this project
    clients/<client>/<script>.py                what it does: JSON on stdin; its last line on stdout is JSON

A client gets only what a test passes to it, the outputs of a stack and an identity: no credentials or
settings of the user who runs the tests. uv creates its environment on first use, in the toolchain's cache,
so that the checkout stays clean. `uv lock --upgrade` in its folder renews it.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from twin.toolchain.cache import cache_dir
from twin.toolchain.system_tools import find_uv

CLIENTS: Final = Path(__file__).parent
# Identities and settings of the user who runs the tests, and this project's interpreter.
_PRIVATE: Final = (
    "AWS_",
    "GOOGLE_",
    "CLOUDSDK_",
    "PULUMI_",
    "PYICEBERG_",
    "MLFLOW_",
    "FEAST_",
    "PYTHON",
    "VIRTUAL_ENV",
)
_NOBODY: Final = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class ClientError(AssertionError):
    """A client ended with an error; the message contains the end of its output."""


def run(
    client: str,
    script: str,
    payload: Mapping[str, Any],
    env: Mapping[str, str] | None = None,
    timeout: float = 240,
) -> dict[str, Any]:
    """Run `clients/<client>/<script>.py` and return the object of its last line.

    payload: what the script reads from stdin, as JSON. env: its variables, added to a cleaned environment.
    timeout: seconds, after which the script prints where it is and ends. Raises ClientError where it fails
    or its last line is no JSON object.
    """
    path = CLIENTS / client / f"{script}.py"
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name for name in ("stdin", "stdout", "stderr")}
        for name, file in files.items():
            file.write_text(json.dumps(payload) if name == "stdin" else "")
        code = _process_of(client).run({"script": str(path), "env": {**(env or {})}, **files}, timeout)
        stdout, stderr = files["stdout"].read_text(), files["stderr"].read_text()
    last_line = stdout.strip().rsplit("\n", 1)[-1]
    if code == 0:
        try:
            answer: Any = json.loads(last_line)
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            return answer
    raise ClientError(f"{client}/{script}: exit {code}\n{last_line[-2000:]}\n{stderr[-6000:]}")


class _Process:
    """A process of a client that runs its scripts in forks (forking.py)."""

    def __init__(self, client: str) -> None:
        self.client = client
        self._process = subprocess.Popen(
            [*command(client), "python", str(CLIENTS / "forking.py")],
            env=environment(client, {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, request: Mapping[str, Any], timeout: float) -> int:
        """Run a script; return its exit code. After `timeout` seconds it prints where it is and ends."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request, default=str) + "\n")
        self._process.stdin.flush()
        script: int = self._answer()["pid"]
        end = threading.Timer(timeout, os.killpg, (script, signal.SIGABRT))
        end.start()
        try:
            return self._answer()["code"]
        except KeyboardInterrupt:
            os.killpg(script, signal.SIGKILL)
            raise
        finally:
            end.cancel()

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ClientError(f"{self.client}: its process ended with {self._process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


_running: list[_Process] = []
"""The process of the client that ran last: a test module uses one client, and Feast's has 400 MB."""


def _process_of(client: str) -> _Process:
    if not _running or _running[0].client != client:
        _close()
        _running.append(_Process(client))
    return _running[0]


@atexit.register
def _close() -> None:
    while _running:
        _running.pop().close()


def command(client: str) -> Sequence[str]:
    """Return the command that runs a program in a client's environment, also for one that keeps running:
    `[*command("mlflow"), "mlflow", "server", ...]` with `environment(...)`."""
    uv = find_uv()
    assert uv is not None, "uv is not installed: `make setup` installs it"
    options = ["--frozen", "--quiet", "--no-python-downloads", "--python", sys.executable]
    return [uv, "run", *options, "--project", str(CLIENTS / client), "--"]


def environment(client: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a client's process: the machine's, without those of an identity, and `env`."""
    machine = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    return {**machine, **_NOBODY, "UV_PROJECT_ENVIRONMENT": str(place(client)), **env}


def place(client: str) -> Path:
    """Return the folder of a client's packages: `<cache>/clients/<client>-<digest of its lock>`.

    Of its other versions the latest is kept, because another checkout may use it.
    """
    lock = (CLIENTS / client / "uv.lock").read_bytes()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_dir() / "clients"
    wanted = folder / f"{client}-{hashlib.sha256(lock + python.encode()).hexdigest()[:12]}"
    if not wanted.exists():
        others = sorted(folder.glob(f"{client}-*"), key=lambda path: path.stat().st_mtime)
        for other in others[:-1]:
            shutil.rmtree(other, ignore_errors=True)
    return wanted
