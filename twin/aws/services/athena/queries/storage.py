"""S3 as one query sees it: asked in someone's name, with what was read counted."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Refusal
from twin.aws.services.athena.queries.errors import CANCELLED, QueryFailed

CUTOFF = "Bytes scanned limit was exceeded"


@dataclass
class Meter:
    """What a query has read. limit: bytes at which the workgroup ends it, None for no limit."""

    limit: int | None = None
    scanned: int = 0
    files: set[str] = field(default_factory=set[str])
    stopped: bool = False
    interrupt: Callable[[], None] | None = None
    """Ends what the engine is at."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def scan(self, location: str, size: int) -> None:
        """A file of data is read. Raises QueryFailed past the limit, and where the query was stopped."""
        with self._lock:
            self.alive()
            if location not in self.files:
                self.files.add(location)
                self.scanned += size
            if self.limit is not None and self.scanned > self.limit:
                raise QueryFailed(CUTOFF, CANCELLED, state="CANCELLED")

    def stop(self) -> None:
        """StopQueryExecution."""
        self.stopped = True
        if self.interrupt:
            self.interrupt()

    def alive(self) -> None:
        """Raise QueryFailed where StopQueryExecution was called."""
        if self.stopped:
            raise QueryFailed("Query cancelled by user", CANCELLED, state="CANCELLED")


def place(location: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`. Raises QueryFailed for anything else."""
    parts = urlsplit(location, allow_fragments=False)
    if parts.scheme not in ("s3", "s3a", "s3n") or not parts.netloc:
        raise QueryFailed(
            f"The S3 location provided is not valid: {location!r}: s3://bucket/prefix/ would be"
        )
    return parts.netloc, location.split(parts.netloc, 1)[1].lstrip("/")


class Storage:
    """S3 for one query. inside: in whose name it is asked. within: the table's location, where Lake Formation
    hands out credentials that are restricted to it."""

    def __init__(
        self, inside: Inside, encryption: dict[str, str] | None = None, within: str | None = None
    ) -> None:
        self._inside = inside
        self._encryption = encryption or {}
        self._within = within

    def _place(self, location: str) -> tuple[str, str]:
        if self._within is not None and not f"{location}/".startswith(f"{self._within.rstrip('/')}/"):
            raise QueryFailed(f"PERMISSION_DENIED: {location}: Access Denied (Service: Amazon S3; 403)")
        return place(location)

    def read(self, location: str) -> bytes:
        """An object's bytes. Raises FileNotFoundError, and QueryFailed where S3 refuses."""
        bucket, key = self._place(location)
        try:
            return self._inside.call("s3", "get_object", Bucket=bucket, Key=key)["Body"].read()
        except Refusal as error:
            if error.code in ("NoSuchKey", "404"):
                raise FileNotFoundError(location) from None
            raise _refused(location, error) from None

    def write(self, location: str, data: bytes, **more: str) -> None:
        """Put an object."""
        bucket, key = self._place(location)
        try:
            self._inside.call(
                "s3", "put_object", Bucket=bucket, Key=key, Body=data, **self._encryption, **more
            )
        except Refusal as error:
            raise _refused(location, error) from None

    def list(self, location: str) -> list[tuple[str, int]]:
        """Locations and sizes under a prefix, in order."""
        bucket, prefix = self._place(location)
        files: list[tuple[str, int]] = []
        more: dict[str, Any] = {}
        while True:
            try:
                page = self._inside.call("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
            except Refusal as error:
                raise _refused(location, error) from None
            files += [
                (f"s3://{bucket}/{object_['Key']}", int(object_["Size"]))
                for object_ in page.get("Contents", ())
            ]
            if not page.get("IsTruncated"):
                return files
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def size(self, location: str) -> int:
        """An object's size. Raises FileNotFoundError."""
        bucket, key = self._place(location)
        try:
            return int(self._inside.call("s3", "head_object", Bucket=bucket, Key=key)["ContentLength"])
        except Refusal as error:
            if error.code in ("NoSuchKey", "404"):
                raise FileNotFoundError(location) from None
            raise _refused(location, error) from None

    def delete(self, location: str) -> None:
        """Remove an object."""
        bucket, key = self._place(location)
        self._inside.call("s3", "delete_object", Bucket=bucket, Key=key)


def _refused(location: str, error: Refusal) -> QueryFailed:
    return QueryFailed(f"PERMISSION_DENIED: {location}: {error.message} (Service: Amazon S3; {error.code})")


class Upload(io.BytesIO):
    """A file that is put into S3 when it is closed."""

    def __init__(self, storage: Storage, location: str) -> None:
        super().__init__()
        self._storage = storage
        self._location = location

    def close(self) -> None:
        if not self.closed:
            self._storage.write(self._location, self.getvalue())
        super().close()
