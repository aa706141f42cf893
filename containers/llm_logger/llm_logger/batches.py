"""Records of each InferenceService, stored in batches. What the bucket does not take in time is dropped, and
counted: requests never wait."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable
from typing import Final

from llm_logger import metrics, records
from llm_logger.configuration import Logged
from llm_logger.exchange import Record
from llm_logger.storage import Folder
from llm_logger.versions import Versions

WAITING: Final = 10_000
"""Records that wait at most."""
WAITING_BYTES: Final = 64 << 20
ATTEMPTS: Final = 3
_OVERHEAD: Final = 1024
"""Bytes of a record without its texts, about."""


class Batches:
    """Records that wait for the bucket."""

    def __init__(
        self,
        logged: Logged,
        namespace: str,
        folder: Folder,
        versions: Versions,
        *,
        waiting: int = WAITING,
        pause: float = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logged, self._namespace, self._folder, self._versions = logged, namespace, folder, versions
        self._most, self._pause, self._clock = waiting, pause, clock
        self._waiting: dict[str, list[Record]] = {}
        self._since: dict[str, float] = {}
        self._count = self._bytes = 0
        self._is_due = asyncio.Event()
        self._is_ending = False
        self._writes = asyncio.Lock()

    def add(self, record: Record) -> None:
        """Add a record, or drop it where too many wait."""
        size = _size(record)
        if self._count >= self._most or self._bytes + size > WAITING_BYTES:
            metrics.RECORDS.labels("dropped").inc()
            return
        name = record.inference_service
        entries = self._waiting.setdefault(name, [])
        if not entries:
            self._since[name] = self._clock()
        entries.append(record)
        self._resize(1, size)
        service = self._logged.service(name)
        if service is None or len(entries) >= service.batch_size:
            self._is_due.set()

    def _resize(self, count: int, size: int) -> None:
        self._count += count
        self._bytes += size
        metrics.WAITING.set(self._count)

    async def run(self) -> None:
        """Store batches until `end`."""
        while not self._is_ending:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), timeout=1)
            self._is_due.clear()
            await self.store(only_due=True)

    async def end(self) -> None:
        """End `run`, and store what waits."""
        self._is_ending = True
        self._is_due.set()
        await self.store()

    async def store(self, *, only_due: bool = False) -> None:
        """Store what waits. only_due: only full batches, and those that have waited long enough."""
        async with self._writes:
            for name in list(self._waiting):
                await self._store(name, only_due=only_due)

    async def _store(self, name: str, *, only_due: bool) -> None:
        service = self._logged.service(name)
        size = service.batch_size if service else 1
        seconds = service.batch_seconds if service else 0
        while entries := self._waiting.pop(name, []):
            is_old = self._clock() - self._since[name] >= seconds
            if only_due and len(entries) < size and not is_old:
                self._waiting[name] = entries
                return
            if entries[size:]:
                self._waiting[name] = entries[size:]
            await self._write(name, entries[:size])

    async def _write(self, name: str, batch: list[Record]) -> None:
        try:
            data = records.encode(batch, await self._versions.of(name))
            key = records.key(self._namespace, name)
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    await asyncio.to_thread(self._folder.write, key, data)
                except Exception as error:  # noqa: BLE001 - of two clouds' clients; the batch is dropped
                    sys.stderr.write(f"{key}, attempt {attempt}: {type(error).__name__}: {error}\n")
                    if attempt < ATTEMPTS:
                        await asyncio.sleep(self._pause * attempt)
                else:
                    metrics.RECORDS.labels("stored").inc(len(batch))
                    return
            metrics.RECORDS.labels("failed").inc(len(batch))
        finally:
            self._resize(-len(batch), -sum(map(_size, batch)))


def _size(record: Record) -> int:
    texts = (value for value in record.values.values() if isinstance(value, str))
    return _OVERHEAD + 4 * sum(map(len, texts))
