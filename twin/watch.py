"""Looks after a twin's processes while a command works in it.

A process that ends in the middle leaves the engine waiting for minutes for what will not happen. One that
ended by itself is restarted in place: etcd, the cloud and the others keep what they hold in files. One that
does not start again, or ends again and again, ends the command with the cause.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from filelock import Timeout

from twin import lifecycle, processes
from twin.instances import Instance, InstanceError
from twin.processes import Daemon, ProcessError
from twin.toolchain.errors import ToolchainError

LOOK_SECONDS: Final = 0.5
END_SECONDS: Final = 60.0
"""How long the end of the watch waits for a restart that is under way."""
RESTARTS: Final = 3
"""How often one process is restarted within one command."""


class Watch:
    """Watches from `with` to its end. say: gets a line for each restart.

    on_failure: called once, from the watching thread, when the twin cannot be kept running.
    failure: the cause of that (the process, how it ended, the end of its log); empty otherwise.
    """

    def __init__(self, instance: Instance, say: Callable[[str], None]) -> None:
        self._instance = instance
        self._say = say
        self._restarts: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch of the twin", daemon=True)
        self.on_failure: Callable[[], None] = lambda: None
        self.failure = ""

    @property
    def restarted(self) -> list[str]:
        """The names of the processes that were restarted."""
        return sorted(self._restarts)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        over = False
        while not over:
            # Again after the end: what died last may be why the command failed.
            over = self._over.wait(LOOK_SECONDS)
            for name in lifecycle.ended(self._instance):
                self._repair(name)
            if self.failure:
                self.on_failure()
                return

    def _repair(self, name: str) -> None:
        daemon = Daemon(self._instance.folder, name)
        # Read before the restart, which begins a new record.
        ending, tail = processes.ending(daemon), processes.log_tail(daemon)
        if self._restarts[name] >= RESTARTS:
            self.failure = f"{name} of the twin ended after {RESTARTS} restarts again ({ending}).\n{tail}"
            return
        try:
            if lifecycle.restart(self._instance, name):
                self._restarts[name] += 1
                self._say(f"{name} of the twin ended ({ending}) and was restarted")
        except (ProcessError, ToolchainError, InstanceError, Timeout, OSError) as error:
            self.failure = f"{name} of the twin ended ({ending}).\n{tail}\nIt could not be restarted: {error}"
