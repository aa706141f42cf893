"""Clients of other projects (PyIceberg, Feast, MLflow), each in a separate environment with a lock.

    clients/<client>/pyproject.toml, uv.lock    what its user installs; no package of this project
    clients/<client>/<script>.py                what it does: JSON on stdin; its last line on stdout is JSON

A client gets only what a test passes to it, the outputs of a stack and an identity: no credentials or
settings of the user who runs the tests. uv creates its environment on first use, in the toolchain's cache,
so that the checkout stays clean. `uv lock --upgrade` in its folder renews it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from twin.toolchain.cache import cache_dir
from twin.toolchain.found import find_uv

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
    process = subprocess.Popen(
        [*command(client), "python", "-X", "faulthandler", str(CLIENTS / client / f"{script}.py")],
        env=environment(client, env or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(json.dumps(payload), timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGABRT)
        stdout, stderr = process.communicate()
    finally:
        if process.poll() is None:  # interrupted by the user
            os.killpg(process.pid, signal.SIGKILL)
    last_line = stdout.strip().rsplit("\n", 1)[-1]
    if process.returncode == 0:
        try:
            answer: Any = json.loads(last_line)
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            return answer
    raise ClientError(f"{client}/{script}: exit {process.returncode}\n{last_line[-2000:]}\n{stderr[-6000:]}")


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
