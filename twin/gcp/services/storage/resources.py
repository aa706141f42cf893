"""Cloud Storage: buckets, and what is in them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.gcp.resources.links import last_of, relative
from twin.property_values import Asset
from twin.provider_interface import UNKNOWN, CloudError, Failure, Props

_LIVE: Final = {"LIVE": True, "ARCHIVED": False}
_STATE: Final = {True: "LIVE", False: "ARCHIVED"}


class Bucket(GcpResource):
    token = "gcp:storage/bucket:Bucket"
    fields = {
        "lifecycleRules.condition.withState": Field("isLive", encode=_LIVE.get, decode=_STATE.get),
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        name = inputs.get("name")
        if isinstance(name, str) and not (3 <= len(name) <= 63 or "." in name):
            yield Failure("name", f'"name" ("{name}") must be between 3 and 63 characters long')

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "retentionPolicy.isLocked":
            # A lock is for good: only another bucket gets rid of it (isPolicyLocked).
            return bool((old.get("retentionPolicy") or {}).get("isLocked"))
        return super().replaces(path, old, new)

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        super().after_create(context, id, inputs)
        self._lock(context, id, inputs)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        self._lock(context, id, new)

    def _lock(self, context: GcpContext, id: str, wanted: Props) -> None:
        """Lock the retention policy where that is asked for and not done."""
        if not (wanted.get("retentionPolicy") or {}).get("isLocked"):
            return
        now = context.call("storage.buckets.get", {"bucket": id})
        if not (now.get("retentionPolicy") or {}).get("isLocked"):
            params = {"bucket": id, "ifMetagenerationMatch": now["metageneration"]}
            context.call("storage.buckets.lockRetentionPolicy", params)

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"url": f"gs://{item.get('name', id)}"}

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        params = {"bucket": id, "versions": True}
        objects = context.call("storage.objects.list", params).get("items", [])
        if (state.get("retentionPolicy") or {}).get("isLocked"):
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
            if any(object_.get("retentionExpirationTime", "") > now for object_ in objects):
                raise CloudError(
                    f'Bucket "{id}" contains objects that have not met the retention period yet and '
                    "cannot be deleted.",
                    path="retentionPolicy",
                )
        if objects and not state.get("forceDestroy"):
            raise CloudError(
                f"Error trying to delete bucket {id} containing objects without `force_destroy` set to true",
                path="forceDestroy",
            )
        for stored_object in objects:
            which = {"object": stored_object["name"], "generation": stored_object.get("generation")}
            context.call("storage.objects.delete", {"bucket": id, **which})
        super().unmake(context, id, state)


class BucketObject(GcpResource):
    token = "gcp:storage/bucketObject:BucketObject"
    fields = {
        "md5hexhash": Field("md5Hash", sent=False, decode=lambda value: base64.b64decode(value or "").hex()),
    }

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
        filled_params = super().filled(params, values)
        return {**filled_params, "bucket": last_of(filled_params.get("bucket"))}


class Notification(GcpResource):
    token = "gcp:storage/notification:Notification"

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        topic = request_body.get("topic")
        if isinstance(topic, str) and not topic.startswith("//"):
            full = topic if topic.startswith("projects/") else f"projects/{context.project}/topics/{topic}"
            request_body["topic"] = f"//pubsub.googleapis.com/{relative(full)}"
        return request_body, places

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return f"{inputs['bucket']}/notificationConfigs/{answer['id']}"

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return path == "topic" and last_of(old) == last_of(new)
