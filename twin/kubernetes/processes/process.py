"""The process of a container."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from twin.kubernetes.processes.logs import Writer

MARK: Final = "AIPLATFORM_TWIN_CONTAINER"
"""A variable that the processes of a container inherit; it identifies those that left its process group."""
START_ERROR: Final = 128
"""The exit code of a command that cannot be executed, as containerd reports it."""
_SIGNALLED: Final = 128


class Process:
    """A running process, or one that has ended.

    log: the file to which its output is appended. Raises OSError where the command cannot be executed.
    """

    def __init__(
        self, identifier: str, command: Sequence[str], env: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        self.identifier = identifier
        self.started = time.time()
        self.finished = 0.0
        self._exit_code: int | None = None
        self._popen = subprocess.Popen(
            command,
            env={**env, MARK: identifier},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._writer = Writer(log)
        for stream, name in ((self._popen.stdout, "stdout"), (self._popen.stderr, "stderr")):
            if stream is not None:
                self._writer.follow(stream, name)

    @property
    def pid(self) -> int:
        """Of the first process."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """Return how it ended, 128 and the signal's number after a signal; None while it runs.

        A container ends with its first process: those that it has started are killed then.
        """
        if self._exit_code is None:
            status = self._popen.poll()
            if status is None:
                return None
            self._kill_rest()
            self._writer.close()
            self.finished = time.time()
            self._exit_code = status if status >= 0 else _SIGNALLED - status
        return self._exit_code

    def terminate(self) -> None:
        """Send SIGTERM to the first process, as a container runtime does."""
        with contextlib.suppress(ProcessLookupError):
            self._popen.terminate()

    def kill(self) -> None:
        """Kill all processes of the container."""
        self._kill_rest()
        with contextlib.suppress(ProcessLookupError):
            self._popen.kill()
        self._popen.wait()

    def _kill_rest(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        for process in _marked(self.identifier):
            with contextlib.suppress(psutil.Error):
                process.kill()


def _marked(identifier: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == identifier:
                yield process
        except (psutil.Error, OSError):
            continue  # of another user, or ended meanwhile
