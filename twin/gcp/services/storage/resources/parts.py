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
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read
from twin.gcp.resources.links import last_of, relative
from twin.gcp.resources.validators import matches, one_of
from twin.property_values import Asset
from twin.provider_interface import UNKNOWN, AutoName, CloudError, Failure, Props

_EVENTS: Final = ("OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE")


class BucketObject(GcpResource):
    token = "gcp:storage/bucketObject:BucketObject"
    title = "Object"
    collection = "storage.objects"
    schema = "Object"
    params = {"bucket": "{bucket}", "object": "{name}"}
    id_form = "{bucket}-{name}"
    has_project = False
    importable = False
    autoname = AutoName("name", max_length=1024)
    fields = {
        **local("forceEmptyContentType", "content", "source", "sourceMd5hash", "detectMd5hash"),
        **local("customerEncryption", "deletionPolicy", "contexts"),
        **only_read("generation", "crc32c", "selfLink", "mediaLink", md5hash="md5Hash", outputName="name"),
        "md5hexhash": Field("md5Hash", sent=False, decode=lambda value: base64.b64decode(value or "").hex()),
    }
    immutable = frozenset(
        {"bucket", "name", "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage"}
        | {"contentType", "forceEmptyContentType", "source", "storageClass", "kmsKeyName", "metadata"}
        | {"customerEncryption.encryptionAlgorithm", "customerEncryption.encryptionKey"}
    )
    changes = (Change(("eventBasedHold", "temporaryHold", "retention")),)
    delete_before_replace = True

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
    title = "ManagedFolder"
    collection = "storage.managedFolders"
    schema = "ManagedFolder"
    params = {"bucket": "{bucket}", "managedFolder": "{name}", "allowNonEmpty": "{forceDestroy}"}
    id_form = "{bucket}/{name}"
    has_project = False
    autoname = AutoName("name", max_length=1024)
    fields = {
        **local("forceDestroy", "deletionPolicy"),
        **only_read("createTime", "metageneration", "updateTime", "selfLink"),
    }
    links = {"bucket": "{value}"}
    validators = {"name": matches(r"^.*/$")}

    def parsed(self, id: str) -> dict[str, str]:
        bucket, _, name = id.partition("/")
        name = name.removeprefix("managedFolders/")
        return {"bucket": bucket, "name": unquote(name)} if name else {}

    def filled(self, params: Any, values: Props) -> Props:
        made = super().filled(params, values)
        return {**made, "bucket": last_of(made.get("bucket"))}


class Notification(GcpResource):
    token = "gcp:storage/notification:Notification"
    title = "Notification"
    collection = "storage.notifications"
    schema = "Notification"
    params = {"bucket": "{bucket}", "notification": "{notificationId}"}
    id_form = "{bucket}/notificationConfigs/{notificationId}"
    has_project = False
    fields = {
        **local("bucket"),
        "payloadFormat": Field("payload_format"),
        "customAttributes": Field("custom_attributes"),
        "eventTypes": Field("event_types"),
        "objectNamePrefix": Field("object_name_prefix"),
        **only_read("selfLink", notificationId="id"),
    }
    validators = {"payloadFormat": one_of("JSON_API_V1", "NONE"), "eventTypes": lambda *_: ""}

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
