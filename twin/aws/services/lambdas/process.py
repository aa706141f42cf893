"""One run of a function: its code in a fresh folder, or the program of its image, a clean environment, its
role's session, its time."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twin.aws.services.lambdas.runtime_api import Invocation, served

_RUNTIME: Final = Path(__file__).with_name("runtime.py")
_SDK: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What Lambda's Python runtimes have next to the standard library."""
_LOG_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class Program:
    """The program of an image. command: its entry point and arguments. folder: its working directory.
    commands: the folder that is first on PATH."""

    command: Sequence[str]
    folder: Path
    commands: Path


@dataclass(frozen=True)
class Run:
    """What is run. code: a package, which is empty for an image. variables: the process's environment next to
    what every function has. timeout: seconds."""

    code: bytes
    handler: str
    event: bytes
    variables: Mapping[str, str]
    timeout: float
    reported: Mapping[str, Any]
    """What the handler's context reports: name, version, arn, memory, request_id, log_group, log_stream."""
    image: Program | None = None
    """What runs in place of a package."""


@dataclass(frozen=True)
class Ran:
    """What came of it. payload: JSON. failed: the function raised, or did not come to an end."""

    payload: bytes
    failed: bool
    log: str


class Processes:
    """The functions that run now. folder: what they use alone; it is emptied, since a server that was killed
    leaves files in it."""

    def __init__(self, folder: Path) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._folder = folder
        self._lock = threading.Lock()
        shutil.rmtree(folder, ignore_errors=True)

    def run(self, run: Run) -> Ran:
        """Run it to its end, or until its time is over."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="run-", dir=self._folder) as folder:
            place = Path(folder)
            packages, temporary = (place / name for name in ("packages", "tmp"))
            for subfolder in (packages, temporary):
                subfolder.mkdir(mode=0o700)
            if run.image is not None:
                return self._of_image(run, run.image, place)
            code = self._unpacked(run.code)
            _provide(packages)
            message = {
                **run.reported,
                "event": run.event.decode() or "null",
                "handler": run.handler,
                "timeout": run.timeout,
                "code": str(code),
                "packages": str(packages),
            }
            (place / "request.json").write_text(json.dumps(message))
            variables = {**run.variables, "TMPDIR": str(temporary), "HOME": str(temporary)}
            return self._ended(run, place, code, variables)

    def close(self) -> None:
        """End all that run."""
        with self._lock:
            for process in self._running:
                _kill(process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _unpacked(self, code: bytes) -> Path:
        """The folder of a package, unpacked once: Lambda keeps it, too, for the calls that follow."""
        folder = self._folder / hashlib.sha256(code).hexdigest()
        with self._lock:
            if not folder.exists():
                unpacked = Path(tempfile.mkdtemp(prefix="unpacking-", dir=self._folder))
                zipfile.ZipFile(io.BytesIO(code)).extractall(unpacked)
                unpacked.rename(folder)
        return folder

    def _of_image(self, run: Run, program: Program, place: Path) -> Ran:
        """Run the program of an image until it has answered by the Runtime API."""
        request = str(run.reported["request_id"])
        invocation = Invocation(request, run.event, str(run.reported["arn"]), run.timeout)
        temporary = str(place / "tmp")
        with served(invocation) as address:
            variables = {
                **run.variables,
                "PATH": f"{program.commands}{os.pathsep}{run.variables['PATH']}",
                "TMPDIR": temporary,
                "HOME": temporary,
                "AWS_LAMBDA_RUNTIME_API": address,
            }
            with self._started(program.command, program.folder, variables, place) as process:
                end = time.monotonic() + run.timeout
                while invocation.payload is None and process.poll() is None:
                    if time.monotonic() > end:
                        return _timed_out(run, place)
                    time.sleep(0.02)
        if invocation.payload is None:
            return _exited(process.returncode, request, place)
        return Ran(invocation.payload, invocation.failed, _log(place))

    def _ended(self, run: Run, place: Path, code: Path, variables: dict[str, str]) -> Ran:
        command = (
            *(sys.executable, "-I", "-S", "-u", str(_RUNTIME)),
            *(str(place / "request.json"), str(place / "answer.json")),
        )
        with self._started(command, code, {**variables, "LAMBDA_TASK_ROOT": str(code)}, place) as process:
            try:
                process.wait(run.timeout)
            except subprocess.TimeoutExpired:
                return _timed_out(run, place)
        if not (place / "answer.json").exists():
            return _exited(process.returncode, run.reported["request_id"], place)
        answer = json.loads((place / "answer.json").read_text())
        return Ran(answer["payload"].encode(), bool(answer.get("failed")), _log(place))

    @contextmanager
    def _started(
        self, command: Sequence[str], folder: Path, variables: Mapping[str, str], place: Path
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a process, whose output goes to the log; it is killed afterwards."""
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with self._lock:
                self._running.add(process)
            try:
                yield process
            finally:
                _kill(process)
                process.wait()
                with self._lock:
                    self._running.discard(process)


def _timed_out(run: Run, place: Path) -> Ran:
    request = run.reported["request_id"]
    words = f"RequestId: {request} Error: Task timed out after {run.timeout:.2f} seconds"
    return _broken("Sandbox.Timedout", words, place)


def _exited(status: int, request: str, place: Path) -> Ran:
    how = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    words = f"RequestId: {request} Error: Runtime exited with error: {how}"
    return _broken("Runtime.ExitError", words, place)


def _broken(kind: str, words: str, place: Path) -> Ran:
    payload = json.dumps({"errorType": kind, "errorMessage": words}).encode()
    return Ran(payload, True, f"{_log(place)}{words}\n")


def _log(place: Path) -> str:
    with (place / "log").open("rb") as file:
        return file.read(_LOG_BYTES).decode(errors="replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    # Its whole session: what the function started ends with it, as its sandbox is frozen in Lambda.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _provide(folder: Path) -> None:
    """Links to the AWS SDK alone: what else is installed next to the twin is not there in Lambda."""
    for name in _SDK:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)


def usable(code: bytes) -> bool:
    """Whether these bytes are a zip archive that can be unpacked here."""
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            return not any(name.startswith("/") or ".." in Path(name).parts for name in archive.namelist())
    except zipfile.BadZipFile:
        return False
