"""Objects of buckets: the logs of KServe's agent, and reports. S3 and Cloud Storage by their own clients."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from model_monitor.errors import RefusedError

_SECONDS: Final = 120
"""The timeout of one request to Cloud Storage."""
_DELETERS: Final = 8
_AT_ONCE: Final = 1000
"""Keys of one request that deletes (API reference, DeleteObjects)."""


@dataclass(frozen=True)
class Entry:
    """An object. key: below the folder. modified: when it was written."""

    key: str
    size: int
    modified: datetime


class Folder(Protocol):
    """A folder of a bucket. Keys are relative to it."""

    def entries(self, prefix: str) -> list[Entry]:
        """Return the objects whose keys begin so."""
        ...

    def read(self, key: str) -> bytes | None:
        """Return the bytes of an object; None where it was deleted in the meantime."""
        ...

    def write(self, key: str, data: bytes, content_type: str) -> str:
        """Create or replace an object; return its URI."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; one that does not exist is no error."""
        ...


class _S3:
    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3
        from botocore.config import Config

        retries: Any = {"mode": "standard", "total_max_attempts": 8}
        self._client: Any = boto3.client("s3", config=Config(retries=retries))
        self._bucket, self._prefix = bucket, prefix

    def entries(self, prefix: str) -> list[Entry]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        return [
            Entry(entry["Key"].removeprefix(self._prefix), entry["Size"], entry["LastModified"])
            for page in pages
            for entry in page.get("Contents", [])
        ]

    def read(self, key: str) -> bytes | None:
        from botocore.exceptions import ClientError

        try:
            return self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None
        except ClientError as error:
            # To a caller without the right to list the whole bucket S3 does not state that a key does not
            # exist (API reference, GetObject): a role that lists its folder alone is denied then.
            if error.response["Error"]["Code"] == "AccessDenied" and not _exists(self, key):
                return None
            raise

    def write(self, key: str, data: bytes, content_type: str) -> str:
        self._client.put_object(
            Bucket=self._bucket,
            Key=self._prefix + key,
            Body=data,
            ContentType=content_type,
            ChecksumAlgorithm="SHA256",
        )
        return f"s3://{self._bucket}/{self._prefix}{key}"

    def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), _AT_ONCE):
            listed = [{"Key": self._prefix + key} for key in keys[start : start + _AT_ONCE]]
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": listed, "Quiet": True}, ChecksumAlgorithm="SHA256"
            )
            if answer.get("Errors"):
                first = answer["Errors"][0]
                raise PermissionError(f"s3://{self._bucket}/{first['Key']}: {first['Code']}")


class _Google:
    def __init__(self, bucket: str, prefix: str) -> None:
        from google.cloud import storage

        self._client: Any = storage.Client()
        self._bucket, self._prefix = self._client.bucket(bucket), prefix

    def entries(self, prefix: str) -> list[Entry]:
        blobs = self._client.list_blobs(self._bucket, prefix=self._prefix + prefix, timeout=_SECONDS)
        return [Entry(blob.name.removeprefix(self._prefix), blob.size, blob.updated) for blob in blobs]

    def read(self, key: str) -> bytes | None:
        from google.api_core.exceptions import Forbidden, NotFound

        try:
            return self._bucket.blob(self._prefix + key).download_as_bytes(timeout=_SECONDS)
        except NotFound:
            return None
        except Forbidden:
            if not _exists(self, key):
                return None
            raise

    def write(self, key: str, data: bytes, content_type: str) -> str:
        blob = self._bucket.blob(self._prefix + key)
        # The key has the id of the run: no object is replaced, which objectCreator does not allow.
        blob.upload_from_string(data, content_type=content_type, timeout=_SECONDS, checksum="crc32c")
        return f"gs://{self._bucket.name}/{self._prefix}{key}"

    def delete(self, keys: Sequence[str]) -> None:
        from google.api_core.exceptions import NotFound

        def delete(key: str) -> None:
            with suppress(NotFound):
                self._bucket.blob(self._prefix + key).delete(timeout=_SECONDS)

        # One request deletes one object.
        with ThreadPoolExecutor(_DELETERS) as deleters:
            list(deleters.map(delete, keys))


def _exists(folder: Folder, key: str) -> bool:
    return any(entry.key == key for entry in folder.entries(key))


def open_folder(uri: str, variable: str) -> Folder:
    """Return the folder of `s3://BUCKET[/PREFIX]` or `gs://BUCKET[/PREFIX]`. Raises RefusedError for another
    form."""
    scheme, _, place = uri.partition("://")
    bucket, _, prefix = place.partition("/")
    prefix = prefix.strip("/")
    folder = f"{prefix}/" if prefix else ""
    if bucket and scheme == "s3":
        return _S3(bucket, folder)
    if bucket and scheme == "gs":
        return _Google(bucket, folder)
    raise RefusedError(f"{variable}: got {uri!r}; expected s3://BUCKET[/PREFIX] or gs://BUCKET[/PREFIX]")
