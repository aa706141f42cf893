"""Resumable uploads of Cloud Storage: a session first, then the bytes in one request or in parts.

Source: Cloud Storage, "Resumable uploads" and "Perform resumable uploads".
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from typing import Any, Final
from urllib.parse import quote

from twin.gcp.api_server.errors import GoogleError, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.web import Answer

_RANGE: Final = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_PART: Final = 256 * 1024
"""Of all parts but the last one the size is a multiple of it."""


def is_resumable(call: Call) -> bool:
    """Whether a call begins or goes on with such an upload."""
    return call.parameters.get("uploadType") == "resumable"


def begin(call: Call, name: str, metadata: Body) -> Answer:
    """A session; its URL is where the bytes go."""
    session = secrets.token_urlsafe(24)
    bucket = str(call.parameters["bucket"])
    call.state.put(
        _row(session), {"bucket": bucket, "name": name, "metadata": metadata}, internal={"media": ""}
    )
    query = f"uploadType=resumable&name={quote(name, safe='')}&upload_id={session}"
    place = f"http://{call.headers.get('host', '')}/upload/storage/v1/b/{bucket}/o?{query}"
    return Answer(200, [("Location", place), ("X-GUploader-UploadID", session)], b"")


def go_on(call: Call) -> tuple[str, bytes, Body] | Answer:
    """(name, bytes, metadata) once all of it is there; else what is there so far. Raises 400 and 404."""
    row = _row(str(call.parameters["upload_id"]))
    session_body = call.state.get(row)
    if session_body is None:
        raise not_found("Upload session not found.")
    media = base64.b64decode(str(call.state.internal(row).get("media") or ""))
    first, whole = _range(call, len(media))
    if call.media:
        if first != len(media):
            raise invalid(f"Invalid request. The upload goes on at byte {len(media)}, got {first}.")
        media += call.media
    if whole is not None and len(media) == whole:
        call.state.delete(row)
        return session_body["name"], media, session_body["metadata"]
    if whole is not None and len(media) > whole:
        raise invalid("Invalid request. There were more bytes than the request's Content-Range states.")
    if call.media and len(call.media) % _PART:
        raise GoogleError(400, "INVALID_ARGUMENT", f"Parts must be multiples of {_PART} bytes.", "invalid")
    call.state.put(row, session_body, internal={"media": base64.b64encode(media).decode()})
    there = [("Range", f"bytes=0-{len(media) - 1}")] if media else []
    return Answer(308, there, b"")


def _range(call: Call, there: int) -> tuple[int, int | None]:
    """(the first byte of the part, all bytes where that is known)."""
    answered = call.headers.get("content-range", "")
    if not answered:
        return there, there + len(call.media)
    match = _RANGE.fullmatch(answered)
    if not match:
        raise invalid(f"Failed to parse Content-Range header: {answered}")
    first = int(match[1]) if match[1] is not None else there
    return first, None if match[3] == "*" else int(match[3])


def _row(session: str) -> str:
    return f"storage/uploads/{session}"


def metadata_of(call: Call) -> dict[str, Any]:
    """The object's metadata, which a session begins with. Raises 400."""
    try:
        return json.loads(call.media or b"{}")
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received. {error}", reason="parseError") from None
