"""Versions of objects in S3 and in Cloud Storage, and requests that restore them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Protocol

from cli.clients.aws import Client as Aws
from cli.clients.gcp import Client as Google
from cli.clients.gcp import segment
from cli.output import CommandError
from cli.restore.versions import Change, Version

_ENABLED: Final = "Enabled"


class Store(Protocol):
    """A bucket with versions. Requests raise UncheckedError where the cloud refuses them."""

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield all versions of objects, those of a key next to each other. Raises CommandError for a bucket
        that keeps none."""
        ...

    def apply(self, change: Change) -> None:
        """Make a version the newest again, or delete an object; both leave the present version in the
        bucket."""
        ...


class S3:
    """A bucket of S3."""

    def __init__(self, client: Aws, bucket: str) -> None:
        """client: with credentials of the bucket's account."""
        self._client = client
        self._bucket = bucket

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield versions and delete markers."""
        status = self._client.call("s3", "get_bucket_versioning", Bucket=self._bucket).get("Status")
        if status != _ENABLED:
            raise CommandError(
                f"{self._bucket}: its versioning is {status or 'off'}; expected a bucket with versions"
            )
        more: dict[str, Any] = {}
        while True:
            page = self._client.call("s3", "list_object_versions", Bucket=self._bucket, Prefix=prefix, **more)
            # A page has two lists, each by key; the versions of a key may be on two pages.
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            yield from (
                Version(
                    entry["Key"],
                    entry["VersionId"],
                    entry["LastModified"],
                    entry.get("Size", 0),
                    deleted="Size" not in entry,
                    live=entry["IsLatest"],
                    checksum=entry.get("ETag", ""),
                )
                for entry in sorted(entries, key=lambda entry: entry["Key"])
            )
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def apply(self, change: Change) -> None:
        """Copy a version onto its key, in parts where it is large; or add a delete marker."""
        version = change.version
        if change.action == "delete":
            self._client.call("s3", "delete_object", Bucket=self._bucket, Key=version.key)
            return
        source = {"Bucket": self._bucket, "Key": version.key, "VersionId": version.id}
        self._client.call("s3", "copy", CopySource=source, Bucket=self._bucket, Key=version.key)


class Gcs:
    """A bucket of Cloud Storage."""

    def __init__(self, client: Google, bucket: str) -> None:
        """client: with credentials that may read and write the bucket."""
        self._client = client
        self._path = f"b/{segment(bucket)}"
        self._bucket = bucket

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield generations. Those that soft delete keeps beyond the versions are not among them."""
        bucket = self._client.get("storage", self._path)
        if not bucket.get("versioning", {}).get("enabled"):
            raise CommandError(f"{self._bucket}: its versioning is off; expected a bucket with versions")
        parameters = {"versions": "true", "prefix": prefix}
        for entry in self._client.pages("storage", f"{self._path}/o", "items", parameters):
            ended = entry.get("timeDeleted")
            yield Version(
                entry["name"],
                entry["generation"],
                datetime.fromisoformat(entry["timeCreated"]),
                int(entry.get("size", 0)),
                datetime.fromisoformat(ended) if ended else None,
                live=not ended,
                checksum=entry.get("crc32c", ""),
            )

    def apply(self, change: Change) -> None:
        """Rewrite a generation onto its name, or delete the live one."""
        version = change.version
        path = f"{self._path}/o/{segment(version.key)}"
        if change.action == "delete":
            self._client.send("DELETE", "storage", path)
            return
        parameters = {"sourceGeneration": version.id}
        while True:
            answer = self._client.send("POST", "storage", f"{path}/rewriteTo/{path}", parameters)
            if answer.get("done"):
                return
            parameters["rewriteToken"] = answer["rewriteToken"]
