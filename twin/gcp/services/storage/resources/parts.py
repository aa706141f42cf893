"""Cloud Storage: objects, managed folders and notifications of a bucket."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.gcp.resources.links import last_of, relative
from twin.property_values import Asset
from twin.provider_interface import UNKNOWN, CloudError, Failure, Props

_EVENTS: Final = ("OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE")


class BucketObject(GcpResource):
    token = "gcp:storage/bucketObject:BucketObject"
    fields = {
        "md5hexhash": Field("md5Hash", sent=False, decode=lambda value: base64.b64decode(value or "").hex()),
    }

    def alike(self, path: str, old: Any, new: Any) -> bool:
        # The key's version is the service's choice (CompareCryptoKeyVersions).
        return path == "kmsKeyName" and str(old).partition("/cryptoKeyVersions/")[0] == str(new)

    def parsed(self, id: str) -> dict[str, str]:
        return {}  # both parts may hold the hyphen between them

    def wrong_fields(self, context: GcpContext, inputs: Props) -> Iterator[tuple[str, str]]:
        if inputs.get("customerEncryption") not in (None, UNKNOWN):
            yield "customerEncryption", "not in the twin: an encryption key of the customer's own"
        yield from super().wrong_fields(context, inputs)

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        media = _media(inputs)
        return context.upload("storage.objects.insert", {"bucket": inputs["bucket"]}, body, media)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new) & {"content", "detectMd5hash", "sourceMd5hash"}:
            body, _ = self.body(context, new)
            context.upload("storage.objects.insert", {"bucket": new["bucket"]}, body, _media(new))
        super().change(context, id, old, new)

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"detectMd5hash": known.get("detectMd5hash") or item.get("md5Hash", "")}


def _media(inputs: Props) -> bytes:
    """The object's bytes: text, or a file that an asset or a path names."""
    content, source = inputs.get("content"), inputs.get("source")
    if isinstance(content, str):
        return content.encode()
    try:
        if isinstance(source, Asset):
            return source.read()
        if isinstance(source, str):
            return Path(source).read_bytes()
    except (OSError, ValueError) as error:
        raise CloudError(f"Error uploading object: {error}", path="source") from error
    raise CloudError("Error uploading object: an archive is not in the twin", path="source")


class ManagedFolder(GcpResource):
    token = "gcp:storage/managedFolder:ManagedFolder"

    def parsed(self, id: str) -> dict[str, str]:
        bucket, _, name = id.partition("/")
        name = name.removeprefix("managedFolders/")
        return {"bucket": bucket, "name": unquote(name)} if name else {}

    def filled(self, params: Any, values: Props) -> Props:
        made = super().filled(params, values)
        return {**made, "bucket": last_of(made.get("bucket"))}


class Notification(GcpResource):
    token = "gcp:storage/notification:Notification"
    validators = {
        "eventTypes": lambda *_: "",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for index, event in enumerate(inputs.get("eventTypes") or []):
            if event is not UNKNOWN and event not in _EVENTS:
                yield Failure(f"eventTypes[{index}]", f"expected one of {', '.join(_EVENTS)}, got {event}")

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        topic = made.get("topic")
        if isinstance(topic, str) and not topic.startswith("//"):
            full = topic if topic.startswith("projects/") else f"projects/{context.project}/topics/{topic}"
            made["topic"] = f"//pubsub.googleapis.com/{relative(full)}"
        return made, places

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return f"{inputs['bucket']}/notificationConfigs/{answer['id']}"

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return path == "topic" and last_of(old) == last_of(new)
