"""Objects of S3, by conditional writes (S3 user guide, "How to prevent object overwrites with conditional
writes").

Each request states the SHA-256 of its body, which S3 compares: a bucket with a retention refuses uploads
without a checksum, and what an SDK adds by itself depends on its settings. All parts of an upload and the
request that completes it need the algorithm that the upload began with (API reference, UploadPart). The
checksum that S3 has of an object in parts is one of its parts' checksums (`-N`, COMPOSITE), as SHA-256 has no
other form there: not the SHA-256 in a manifest, for which the object is read back.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import boto3
import tenacity
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from model_release.objects import CHUNK, ExistsError

_PARTS: Final = 10_000
"""The most parts of an upload (S3, "Amazon S3 multipart upload limits")."""
_THREADS: Final = 4
_ALGORITHM: Final = "SHA256"
_CONFLICT: Final = "ConditionalRequestConflict"
"""Another writer creates the object at the same time: S3 asks to try again."""


def _is_conflict(error: BaseException) -> bool:
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") == _CONFLICT


def _exists(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") == "PreconditionFailed"


_retried = tenacity.retry(
    retry=tenacity.retry_if_exception(_is_conflict),
    wait=tenacity.wait_random_exponential(max=10),
    stop=tenacity.stop_after_attempt(8),
    reraise=True,
)


def _checksum(data: bytes) -> dict[str, str]:
    """Return the parameters that state the SHA-256 of a body."""
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {"ChecksumAlgorithm": _ALGORITHM, "ChecksumSHA256": digest}


class S3Objects:
    """A bucket of S3. part: bytes from which a file is uploaded in parts of this size."""

    def __init__(self, bucket: str, part: int = 64 << 20) -> None:
        self._bucket, self._part = bucket, part
        retries: Any = {"mode": "standard", "total_max_attempts": 8}
        self._client: Any = boto3.client("s3", config=Config(retries=retries))

    def create_file(self, key: str, path: Path) -> None:
        """Create an object from a file. Raises ExistsError."""
        if path.stat().st_size <= self._part:
            self.create_bytes(key, path.read_bytes())
        else:
            self._in_parts(key, path)

    def create_bytes(self, key: str, data: bytes) -> None:
        """Create an object. Raises ExistsError."""
        self._created(self._client.put_object, Key=key, Body=data, **_checksum(data))

    @_retried
    def _created(self, request: Any, **parameters: Any) -> None:
        try:
            request(Bucket=self._bucket, IfNoneMatch="*", **parameters)
        except ClientError as error:
            if _exists(error):
                raise ExistsError(parameters["Key"]) from error
            raise

    @_retried
    def _in_parts(self, key: str, path: Path) -> None:
        size = path.stat().st_size
        part = max(self._part, -(-size // _PARTS))
        upload = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, ChecksumAlgorithm=_ALGORITHM
        )["UploadId"]
        place = {"Bucket": self._bucket, "Key": key, "UploadId": upload}

        def send(number: int) -> dict[str, Any]:
            with path.open("rb") as file:
                file.seek((number - 1) * part)
                body = file.read(part)
            checksum = _checksum(body)
            answer = self._client.upload_part(**place, PartNumber=number, Body=body, **checksum)
            return {
                "PartNumber": number,
                "ETag": answer["ETag"],
                "ChecksumSHA256": checksum["ChecksumSHA256"],
            }

        try:
            with ThreadPoolExecutor(_THREADS) as pool:
                parts = list(pool.map(send, range(1, -(-size // part) + 1)))
            # The object exists from here on, or not at all.
            self._client.complete_multipart_upload(**place, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        except BaseException as error:
            # The bucket's lifecycle deletes the parts of one that cannot be aborted.
            with contextlib.suppress(ClientError, BotoCoreError):
                self._client.abort_multipart_upload(**place)
            if isinstance(error, ClientError) and _exists(error):
                raise ExistsError(key) from error
            raise

    def chunks(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object. Raises FileNotFoundError, and PermissionError."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        except self._client.exceptions.NoSuchKey as error:
            raise FileNotFoundError(key) from error
        except ClientError as error:
            # Without s3:ListBucket also for one that does not exist (API reference, GetObject).
            if error.response.get("Error", {}).get("Code") == "AccessDenied":
                raise PermissionError(f"{key}: {error}") from error
            raise
        yield from body.iter_chunks(CHUNK)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return key -> size of all objects whose keys begin so."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}

    def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders below a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        folders = (entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", []))
        return sorted(folder.removeprefix(prefix).rstrip("/") for folder in folders)
