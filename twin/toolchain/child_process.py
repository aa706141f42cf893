"""The processes that the language host starts, and how they end.

They stay in the host's process group, which the engine kills as a whole when it
closes the host: a child in another group would outlive that.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

GRACE_SECONDS = 5.0


class Child:
    """One process under way."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: Path | None = None,
        *,
        piped: bool = False,
    ) -> None:
        pipe = subprocess.PIPE if piped else None
        self.process = subprocess.Popen(
            list(command), env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
        self.interrupted = False

    def wait(self) -> int:
        """The exit code; -1 when a signal ended it, which is how the official host counts."""
        return max(self.process.wait(), -1)

    def interrupt(self, grace: float = GRACE_SECONDS) -> None:
        """Ask it to end as Ctrl-C does, once; what does not end in time is killed.

        Once, since a second Ctrl-C would break off the cleaning up that follows the first.
        """
        if self.interrupted or self.process.poll() is not None:
            return
        self.interrupted = True
        with contextlib.suppress(OSError):
            self.process.send_signal(signal.SIGINT)
        timer = threading.Timer(grace, self.kill)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        """End it now, with whatever it started itself."""
        if self.process.poll() is not None:
            return
        try:
            family = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            family = []
        self.process.kill()
        for member in family:
            with contextlib.suppress(psutil.Error):
                member.kill()


class Children:
    """The children that a cancellation must reach, also one that is about to start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Child] = set()
        self._cancelled = False

    def add(self, child: Child) -> None:
        """Take a child that has just started."""
        with self._lock:
            self._running.add(child)
            cancelled = self._cancelled
        if cancelled:
            child.interrupt()

    def remove(self, child: Child) -> None:
        """Forget a child that has ended."""
        with self._lock:
            self._running.discard(child)

    def cancel(self) -> None:
        """Interrupt all, and all that come later."""
        with self._lock:
            self._cancelled = True
            running = list(self._running)
        for child in running:
            child.interrupt()

    def end(self, grace: float = GRACE_SECONDS) -> None:
        """Interrupt all, and return when none is left."""
        self.cancel()
        with self._lock:
            running = list(self._running)
        for child in running:
            try:
                child.process.wait(grace)
            except subprocess.TimeoutExpired:
                child.kill()
                child.process.wait()
