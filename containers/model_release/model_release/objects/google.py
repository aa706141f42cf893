"""Objects of Cloud Storage, by preconditions (Cloud Storage, "Request preconditions")."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from google.api_core.exceptions import Forbidden, NotFound, PreconditionFailed
from google.cloud import storage

from model_release.objects import CHUNK, ExistsError

_SECONDS: Final = 300
"""The timeout of one request."""
_NEW: Final[dict[str, Any]] = {"if_generation_match": 0, "timeout": _SECONDS, "checksum": "crc32c"}
"""Create only, compared with the checksum by Cloud Storage."""


@contextlib.contextmanager
def _new(key: str) -> Iterator[None]:
    """Raise ExistsError where the object exists: Cloud Storage answers 412 by the condition, or 403 for the
    right to replace it; its documentation does not state which it checks first."""
    try:
        yield
    except PreconditionFailed as error:
        raise ExistsError(key) from error
    except Forbidden as error:
        if "storage.objects.delete" not in str(error):
            raise
        raise ExistsError(key) from error


class GoogleObjects:
    """A bucket of Cloud Storage. client: for other credentials than those of the environment."""

    def __init__(self, bucket: str, client: Any = None) -> None:
        self._bucket: Any = (client or storage.Client()).bucket(bucket)

    def create_file(self, key: str, path: Path) -> None:
        """Create an object from a file. Raises ExistsError."""
        blob = self._bucket.blob(key, chunk_size=CHUNK)
        with _new(key):
            blob.upload_from_filename(str(path), content_type="application/octet-stream", **_NEW)

    def create_bytes(self, key: str, data: bytes) -> None:
        """Create an object. Raises ExistsError."""
        with _new(key):
            self._bucket.blob(key).upload_from_string(data, content_type="application/json", **_NEW)

    def chunks(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object. Raises FileNotFoundError, and PermissionError."""
        try:
            with self._bucket.blob(key, chunk_size=CHUNK).open("rb", timeout=_SECONDS) as file:
                while data := file.read(CHUNK):
                    yield data
        except NotFound as error:
            raise FileNotFoundError(key) from error
        except Forbidden as error:
            raise PermissionError(f"{key}: {error}") from error

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return key -> size of all objects whose keys begin so."""
        blobs = self._bucket.client.list_blobs(self._bucket, prefix=prefix, timeout=_SECONDS)
        return {blob.name: blob.size for blob in blobs}

    def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders below a prefix."""
        blobs = self._bucket.client.list_blobs(self._bucket, prefix=prefix, delimiter="/", timeout=_SECONDS)
        for _ in blobs:  # prefixes are known once all pages are read
            pass
        return sorted(folder.removeprefix(prefix).rstrip("/") for folder in blobs.prefixes)
