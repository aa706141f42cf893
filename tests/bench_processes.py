"""CPU seconds and memory of each process while a command runs. Part of `make bench-growth`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

SAMPLE_SECONDS: Final = 0.2
ENGINE: Final = "engine"
PROGRAM: Final = "program"
# What names a process in its command line; the first that fits counts.
PARTS: Final = (
    ("program_start.py", PROGRAM),
    ("pulumi-language-python-exec", "language host"),
    ("language_host", "language host"),
    ("twin.aws.provider", "provider aws"),
    ("twin.gcp.provider", "provider gcp"),
    ("pulumi-resource-kubernetes", "provider kubernetes"),
    ("pulumi-resource-", "other providers"),
    ("tests.bench_flat_provider", "flat provider"),
    ("twin.aws.server", "cloud API"),
    ("twin.gcp.server", "cloud API"),
    ("kube-apiserver", "kube-apiserver"),
    (" etcd", "etcd"),
    ("aiplatform-controlplane", "other controllers"),
    ("twin.kubernetes", "other controllers"),
)
Key = tuple[int, float]
"""Pid and start of a process: a pid may be used again."""


@dataclass
class Usage:
    """What one kind of process used."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    """Resident memory at its highest, of all processes of the kind together."""


@dataclass
class Sampler:
    """Samples the processes of a twin instance and of what runs in it until it is stopped."""

    variables: Mapping[str, str]
    """What marks the environment of such a process, or:"""
    folder: Path
    """The folder of the twin instance, which the command lines of its control plane name."""
    usage: dict[str, Usage] = field(default_factory=dict[str, Usage])
    _before: dict[Key, float] = field(default_factory=dict[Key, float])
    _last: dict[Key, tuple[str, float]] = field(default_factory=dict[Key, tuple[str, float]])
    _kinds: dict[Key, str | None] = field(default_factory=dict[Key, str | None])

    @contextlib.contextmanager
    def running(self) -> Iterator[dict[str, Usage]]:
        """The usage by kind of process; complete at the end of the block."""
        self._before = {key: seconds for key, (_, seconds, _) in self._processes().items()}
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stop,), daemon=True)
        thread.start()
        try:
            yield self.usage
        finally:
            stop.set()
            thread.join()
            for key, (kind, seconds) in self._last.items():
                spent = seconds - self._before.get(key, 0.0)
                self.usage.setdefault(kind, Usage()).cpu_seconds += max(spent, 0.0)

    def _watch(self, stop: threading.Event) -> None:
        while True:
            resident: dict[str, int] = {}
            for key, (kind, seconds, memory) in self._processes().items():
                self._last[key] = (kind, seconds)
                resident[kind] = resident.get(kind, 0) + memory
            for kind, memory in resident.items():
                usage = self.usage.setdefault(kind, Usage())
                usage.peak_bytes = max(usage.peak_bytes, memory)
            if stop.wait(SAMPLE_SECONDS):
                return

    def _processes(self) -> dict[Key, tuple[str, float, int]]:
        """By process: its kind, CPU seconds, resident bytes."""
        seen: dict[Key, tuple[str, float, int]] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                key = (process.pid, process.create_time())
                # A young process may still be what it was forked from.
                if self._kinds.get(key) is None:
                    self._kinds[key] = self._kind(process)
                if kind := self._kinds[key]:
                    used = process.cpu_times()
                    seen[key] = (kind, used.user + used.system, process.memory_info().rss)
        return seen

    def _kind(self, process: psutil.Process) -> str | None:
        command = " ".join(process.cmdline())
        kind = kind_of(command)
        if kind is None or f"{self.folder}/" in command:
            return kind
        environment = process.environ()
        theirs = all(environment.get(name) == value for name, value in self.variables.items())
        return kind if theirs else None


def kind_of(command: str) -> str | None:
    """The kind of process that a command line starts; None where it is none that counts."""
    for part, kind in PARTS:
        if part in command:
            return kind
    return ENGINE if Path(command.partition(" ")[0]).name == "pulumi" else None
