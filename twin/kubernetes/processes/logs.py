"""A container's log: lines in the CRI's format, `<RFC 3339 time> <stream> F <line>`."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from twin.private_files import private_folder

LIMIT_BYTES: Final = 10 * 1024 * 1024
"""As a kubelet's containerLogMaxSize; the file before it is deleted."""
_POLL_SECONDS: Final = 0.2
_LONGEST_LINE: Final = 16 * 1024
"""Bytes; the CRI splits longer lines."""


class Writer:
    """Writes what a process prints, from a thread for each stream."""

    def __init__(self, file: Path) -> None:
        private_folder(file.parent)
        self._path = file
        self._file = file.open("ab")
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def follow(self, stream: IO[bytes], name: str) -> None:
        """Copy a stream until its end. name: `stdout` or `stderr`."""
        thread = threading.Thread(target=self._copy, args=(stream, name), name=f"log-{name}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def close(self, seconds: float = 1.0) -> None:
        """Wait for the end of all streams; a process that outlives its parent may keep one open."""
        for thread in self._threads:
            thread.join(seconds)
        with self._lock:
            self._file.close()

    def _copy(self, stream: IO[bytes], name: str) -> None:
        with stream:
            while line := stream.readline(_LONGEST_LINE):
                self._line(line, name)

    def _line(self, line: bytes, name: str) -> None:
        now = time.time_ns()
        stamp = datetime.fromtimestamp(now // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        entry = f"{stamp}.{now % 1_000_000_000:09d}Z {name} F ".encode() + line.rstrip(b"\r\n") + b"\n"
        with self._lock:
            if self._file.closed:
                return
            if self._file.tell() + len(entry) > LIMIT_BYTES:
                self._file.close()
                self._path.unlink()
                self._file = self._path.open("ab")
            self._file.write(entry)
            self._file.flush()


@dataclass(frozen=True)
class Selection:
    """What of a log is read: the options of `kubectl logs`."""

    tail: int | None = None
    since: float | None = None
    limit_bytes: int | None = None
    timestamps: bool = False
    stream: str = "All"


def read(file: Path, selection: Selection, running: Iterable[None] | None = None) -> Iterator[bytes]:
    """Yield the selected lines. running: for `follow`, yields as long as the container may write more."""
    remaining = selection.limit_bytes
    for entry in _entries(file, selection.tail, running):
        line = _selected(entry, selection)
        if line is None:
            continue
        if remaining is not None:
            line = line[:remaining]
            remaining -= len(line)
        yield line
        if remaining == 0:
            return


def _entries(file: Path, tail: int | None, running: Iterable[None] | None) -> Iterator[bytes]:
    stream = file.open("rb")
    try:
        yield from stream if tail is None else deque(stream, maxlen=tail)
        for _ in running or ():
            yield from stream
            if os.fstat(stream.fileno()).st_nlink == 0:  # the log began again at its limit
                stream.close()
                stream = file.open("rb")
            else:
                time.sleep(_POLL_SECONDS)
        yield from stream
    finally:
        stream.close()


def _selected(entry: bytes, selection: Selection) -> bytes | None:
    stamp, stream, _, line = entry.split(b" ", 3)
    if selection.stream != "All" and stream.decode().lower() != selection.stream.lower():
        return None
    if selection.since is not None:
        written = datetime.fromisoformat(stamp.decode()[:26] + "+00:00").timestamp()
        if written < selection.since:
            return None
    return stamp + b" " + line if selection.timestamps else line
