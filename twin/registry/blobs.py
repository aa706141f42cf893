"""The bytes of blobs, by their digests, in a folder of a twin."""

from __future__ import annotations

import os
from pathlib import Path

from twin.registry.api import digest_of


class Blobs:
    """A folder of blobs. Which repository has one is stored elsewhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> None:
        """Store a blob; it appears whole, by one rename."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self._file(digest_of(content))
        draft = target.with_suffix(f".{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(target)

    def get(self, digest: str) -> bytes | None:
        """Return a blob."""
        file = self._file(digest)
        return file.read_bytes() if file.is_file() else None

    def _file(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")
