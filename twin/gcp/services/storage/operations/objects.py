"""Cloud Storage: objects, whole, as clients upload and read them."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from twin.gcp.api_server.errors import GoogleError, denied, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.services.biglake import permissions as biglake
from twin.gcp.services.storage import resumable
from twin.gcp.services.storage.operations.buckets import bucket_of, check_preconditions
from twin.web import Answer

_VERSION = "#"
"""Before the generation in the rows of versions that are no longer current; no quoted name holds it."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_DOWNLOAD = "https://storage.googleapis.com/download/storage/v1"


def name_of(call: Call) -> str:
    """The object that a call is about, as managed folders are compared with it: of a list its prefix."""
    parameters = call.parameters
    if call.method.id == "storage.objects.list":
        return str(parameters.get("prefix") or "")
    named = parameters.get("object") or parameters.get("name") or call.body.get("name")
    if not named and call.method.id == "storage.objects.insert" and resumable.is_resumable(call):
        named = resumable.metadata_of(call).get("name")
    return str(named or "")


@handles("storage.objects.insert")
def insert(call: Call) -> dict[str, Any] | Answer:
    """An object with its bytes."""
    if resumable.is_resumable(call):
        return _resumed(call)
    name = _new_name(call, call.body)
    kind = call.body.get("contentType") or call.media_type or "application/octet-stream"
    _check_overwrite(call, call.parameters["bucket"], name)
    return store(call, bucket_of(call), name, call.media, {**call.body, "contentType": kind})


def _new_name(call: Call, metadata: Body) -> str:
    name = call.parameters.get("name") or metadata.get("name") or ""
    if not name or len(name.encode()) > 1024:
        raise invalid("Required parameter: name, 1 to 1024 bytes", reason="required")
    return name


def _resumed(call: Call) -> dict[str, Any] | Answer:
    bucket = bucket_of(call)
    if "upload_id" not in call.parameters:
        metadata = resumable.metadata_of(call)
        return resumable.begin(call, _new_name(call, metadata), metadata)
    there = resumable.go_on(call)
    if isinstance(there, Answer):
        return there
    name, media, metadata = there
    kind = metadata.get("contentType") or "application/octet-stream"
    _check_overwrite(call, bucket["name"], name)
    return store(call, bucket, name, media, {**metadata, "contentType": kind})


def store(call: Call, bucket: Body, name: str, media: bytes, metadata: Body) -> Body:
    """An object with its bytes, as a client or another service writes it. Raises 403 and 412."""
    row = _row(bucket["name"], name)
    before = call.state.get(row)
    check_preconditions(call, before)
    if before:
        _leave(call, bucket, before, replaced=True)
    link = f"{bucket['name']}/o/{quote(name, safe='')}"
    stored: Body = {
        **{key: value for key, value in metadata.items() if key in _SETTABLE},
        "kind": "storage#object",
        "id": f"{bucket['name']}/{name}",
        "name": name,
        "bucket": bucket["name"],
        "generation": str(int(call.at * 1_000_000)),
        "metageneration": "1",
        "storageClass": metadata.get("storageClass") or bucket["storageClass"],
        "size": str(len(media)),
        "md5Hash": base64.b64encode(hashlib.md5(media, usedforsecurity=False).digest()).decode(),
        "crc32c": crc32c(media),
        "timeCreated": call.timestamp[:23] + "Z",
        "updated": call.timestamp[:23] + "Z",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{link}",
        "mediaLink": f"{_DOWNLOAD}/b/{link}",
    }
    key = call.parameters.get("kmsKeyName") or metadata.get("kmsKeyName")
    key = key or bucket.get("encryption", {}).get("defaultKmsKeyName")
    if key:
        stored["kmsKeyName"] = f"{key.partition('/cryptoKeyVersions/')[0]}/cryptoKeyVersions/1"
    _retain(call, bucket, stored)
    internal = {"media": base64.b64encode(media).decode()}
    return call.state.put(row, stored, internal=internal)


_SETTABLE = frozenset(
    {"contentType", "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "metadata"}
    | {"customTime", "storageClass", "eventBasedHold", "temporaryHold"}
)


@handles("storage.objects.get")
def get(call: Call) -> dict[str, Any] | Answer:
    """An object's metadata, or with alt=media its bytes."""
    bucket = bucket_of(call)["name"]
    body = _need(call, bucket)
    if call.parameters.get("alt") != "media":
        return body
    media = _media(call, bucket, body)
    headers = [
        ("Content-Type", body["contentType"]),
        ("ETag", body["md5Hash"]),
        ("X-Goog-Generation", body["generation"]),
        ("X-Goog-Hash", f"crc32c={body['crc32c']},md5={body['md5Hash']}"),
    ]
    match = _RANGE.fullmatch(call.headers.get("range", ""))
    if match is None:
        return Answer(200, headers, media)
    return _part(media, headers, match[1], match[2])


def _part(media: bytes, headers: list[tuple[str, str]], first: str, last: str) -> Answer:
    """The bytes that a Range header asks for: from, to, or so many at the end. Raises 416."""
    start = int(first) if first else max(0, len(media) - int(last or 0))
    end = min(int(last), len(media) - 1) if first and last else len(media) - 1
    if start > end:
        raise GoogleError(
            416, "OUT_OF_RANGE", "The requested range cannot be satisfied.", "requestedRangeNotSatisfiable"
        )
    answered = ("Content-Range", f"bytes {start}-{end}/{len(media)}")
    return Answer(206, [*headers, answered], media[start : end + 1])


@handles("storage.objects.list")
def listing(call: Call) -> dict[str, Any]:
    """The objects under a prefix; with a delimiter, folders apart."""
    bucket = bucket_of(call)["name"]
    prefix, mark = call.parameters.get("prefix", ""), call.parameters.get("delimiter", "")
    items: list[Body] = []
    folders: set[str] = set()
    for row, body in call.state.of("storage.o", f"storage/b/{bucket}/o/"):
        if _VERSION in row and not call.parameters.get("versions"):
            continue
        rest = body["name"].removeprefix(prefix)
        if not body["name"].startswith(prefix):
            continue
        if mark and mark in rest:
            folders.add(prefix + rest.split(mark, 1)[0] + mark)
        else:
            items.append(body)
    answer = {
        "kind": "storage#objects",
        **generic.page(call, sorted(items, key=lambda object_: object_["name"]), "items"),
    }
    return {**answer, "prefixes": sorted(folders)} if folders else answer


@handles("storage.objects.patch", "storage.objects.update")
def change(call: Call) -> dict[str, Any]:
    """An object's metadata."""
    bucket = bucket_of(call)["name"]
    body = _need(call, bucket)
    check_preconditions(call, body)
    for key, value in call.body.items():
        if key in _SETTABLE and value is None:
            body.pop(key, None)
        elif key in _SETTABLE:
            body[key] = value
    body.update(metageneration=str(int(body["metageneration"]) + 1), updated=call.timestamp[:23] + "Z")
    return call.state.put(_row(bucket, body["name"]), body)


@handles("storage.objects.rewrite")
def rewrite(call: Call) -> dict[str, Any]:
    """An object's copy, here or in another bucket, in one call."""
    source, target = call.parameters["sourceBucket"], call.parameters["destinationBucket"]
    _check_right(call, "storage.objects.get", source, call.parameters["sourceObject"])
    _check_right(call, "storage.objects.create", target, call.parameters["destinationObject"])
    _check_overwrite(call, target, call.parameters["destinationObject"])
    generation = call.parameters.get("sourceGeneration")
    call.parameters.update(object=call.parameters["sourceObject"], generation=generation, bucket=source)
    bucket_of(call)
    body = _need(call, source)
    media = _media(call, source, body)
    call.parameters["bucket"] = target
    metadata = {"contentType": body["contentType"], **(call.body or body)}
    copy = store(call, bucket_of(call), call.parameters["destinationObject"], media, metadata)
    answered = {"kind": "storage#rewriteResponse", "done": True, "resource": copy}
    return {**answered, "totalBytesRewritten": copy["size"], "objectSize": copy["size"]}


def _check_overwrite(call: Call, bucket: str, name: str) -> None:
    """To replace an object is to delete it ("IAM permissions for JSON methods": objects.insert). A client
    that expects none (`ifGenerationMatch=0`) gets 412 for that before its rights are checked."""
    if call.state.get(_row(bucket, name)) is None or str(call.parameters.get("ifGenerationMatch")) == "0":
        return
    if not call.principal.startswith(biglake.DOWNSCOPED):
        _check_right(call, "storage.objects.delete", bucket, name)


def _check_right(call: Call, permission: str, bucket: str, name: str) -> None:
    identity, who = call.server.identity, call.principal
    row = f"storage/b/{bucket}"
    folders = call.state.of("storage.managedFolders", f"{row}/managedFolders/")
    places = ("", row, *(folder for folder, body in folders if name.startswith(body["name"])))
    if "roles/owner" in identity.roles(who):
        return
    named = f"projects/_/buckets/{bucket}/objects/{name}"
    allowed = any(identity.allowed(who, permission, place, named) for place in places)
    if who != identity.deployer and not allowed:
        message = f"{who} does not have {permission} access to the Google Cloud Storage object."
        raise denied(message)


def _media(call: Call, bucket: str, body: Body) -> bytes:
    return base64.b64decode(call.state.internal(_stored(bucket, body))["media"])


def _stored(bucket: str, body: Body) -> str:
    """The row of an object, or of a version that is no longer current."""
    row = _row(bucket, body["name"])
    return f"{row}{_VERSION}{body['generation']}" if body.get("timeDeleted") else row


@handles("storage.objects.delete")
def delete(call: Call) -> dict[str, Any]:
    """An object goes."""
    bucket = bucket_of(call)["name"]
    body = _need(call, bucket)
    check_preconditions(call, body)
    _leave(call, bucket_of(call), body, replaced=False)
    call.state.delete(_stored(bucket, body))
    return {}


def _leave(call: Call, bucket: Body, body: Body, *, replaced: bool) -> None:
    """A live object is replaced or deleted: retention may forbid it, versioning keeps it."""
    row = _row(bucket["name"], body["name"])
    until = body.get("retentionExpirationTime", "")
    if body.get("eventBasedHold") or body.get("temporaryHold") or until > call.timestamp:
        why = f"until {until}" if until > call.timestamp else "while it is under hold"
        raise GoogleError(
            403,
            "PERMISSION_DENIED",
            f"Object '{bucket['name']}/{body['name']}' is subject to bucket's retention policy or object "
            f"retention and cannot be deleted or overwritten {why}",
            "retentionPolicyNotMet",
        )
    named = call.parameters.get("generation") and not replaced
    if bucket.get("versioning", {}).get("enabled") and not body.get("timeDeleted") and not named:
        old = {**body, "timeDeleted": call.timestamp[:23] + "Z"}
        call.state.put(f"{row}{_VERSION}{body['generation']}", old, internal=call.state.internal(row))


def _retain(call: Call, bucket: Body, object_: Body) -> None:
    """Until when a new object stays, by the bucket's policy."""
    period = int(bucket.get("retentionPolicy", {}).get("retentionPeriod") or 0)
    if period:
        at = datetime.fromtimestamp(call.at + period, UTC)
        object_["retentionExpirationTime"] = at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"
    if bucket.get("defaultEventBasedHold"):
        object_.setdefault("eventBasedHold", True)


def _need(call: Call, bucket: str) -> Body:
    name, generation = call.parameters["object"], call.parameters.get("generation")
    row = _row(bucket, name)
    if generation and (call.state.get(row) or {}).get("generation") != str(generation):
        row = f"{row}{_VERSION}{generation}"
    return call.need(row, f"No such object: {bucket}/{name}")


def _row(bucket: str, name: str) -> str:
    return f"storage/b/{bucket}/o/{quote(name, safe='')}"


def crc32c(data: bytes) -> str:
    """CRC32C (Castagnoli), big-endian in base64."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return base64.b64encode((crc ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


def _entry(number: int) -> int:
    for _ in range(8):
        number = (number >> 1) ^ (0x82F63B78 if number & 1 else 0)
    return number


_TABLE = tuple(_entry(number) for number in range(256))
