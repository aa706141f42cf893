"""Objects of a bucket: S3 and Cloud Storage by their clients. Objects are only created."""

from __future__ import annotations

from typing import Any, Final, Protocol

from llm_logger.configuration import RefusedError

_SECONDS: Final = 30


class Folder(Protocol):
    """A folder of a bucket."""

    def write(self, key: str, data: bytes) -> None:
        """Create an object. Raises an error of the client."""
        ...


class _S3:
    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3
        from botocore.config import Config

        retries: Any = {"mode": "standard", "total_max_attempts": 3}
        config = Config(retries=retries, connect_timeout=5, read_timeout=_SECONDS)
        self._client: Any = boto3.client("s3", config=config)
        self._bucket, self._prefix = bucket, prefix

    def write(self, key: str, data: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=self._prefix + key,
            Body=data,
            ContentType="application/json",
            ChecksumAlgorithm="SHA256",
        )


class _Google:
    def __init__(self, bucket: str, prefix: str) -> None:
        from google.cloud import storage

        self._bucket, self._prefix = storage.Client().bucket(bucket), prefix

    def write(self, key: str, data: bytes) -> None:
        blob: Any = self._bucket.blob(self._prefix + key)
        # Not over an existing one: the client repeats an upload only with this condition.
        blob.upload_from_string(
            data,
            content_type="application/json",
            timeout=_SECONDS,
            checksum="crc32c",
            if_generation_match=0,
        )


def open_folder(uri: str) -> Folder:
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
    raise RefusedError(f"LOGS_URI: got {uri!r}; expected s3://BUCKET[/PREFIX] or gs://BUCKET[/PREFIX]")
