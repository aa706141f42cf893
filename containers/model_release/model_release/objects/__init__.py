"""Objects of a bucket, created once: S3 and Cloud Storage by their own clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from model_release.errors import RefusedError

CHUNK: Final = 8 << 20
"""Bytes that are read at a time."""


class ExistsError(Exception):
    """The object exists; it was not changed."""


class Objects(Protocol):
    """A bucket. Keys are relative to the bucket's root."""

    def create_file(self, key: str, path: Path) -> None:
        """Create an object from a file. It exists as a whole or not at all. Raises ExistsError."""
        ...

    def create_bytes(self, key: str, data: bytes) -> None:
        """Create an object. Raises ExistsError."""
        ...

    def chunks(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object. Raises FileNotFoundError where there is none, PermissionError where
        this identity may not read it, or lists nothing and may not know whether it exists."""
        ...

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return key -> size of all objects whose keys begin so."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders below a prefix that ends with a slash."""
        ...


def open_bucket(uri: str) -> Objects:
    """Return the bucket of `s3://BUCKET` or `gs://BUCKET`. Raises RefusedError for another form."""
    scheme, _, bucket = uri.partition("://")
    if bucket and "/" not in bucket:
        # Each loads the client of its cloud only.
        if scheme == "s3":
            from model_release.objects.s3 import S3Objects

            return S3Objects(bucket)
        if scheme == "gs":
            from model_release.objects.google import GoogleObjects

            return GoogleObjects(bucket)
    raise RefusedError(f"RELEASES_URI: got {uri!r}; expected s3://BUCKET or gs://BUCKET")


def read(objects: Objects, key: str) -> bytes | None:
    """Return the bytes of an object; None where there is none."""
    try:
        return b"".join(objects.chunks(key))
    except FileNotFoundError:
        return None
