"""Uploads: bytes alone (uploadType=media), or metadata and bytes in one body (multipart)."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from twin.gcp.api_server.errors import invalid


def parts(content_type: str, raw: bytes) -> tuple[dict[str, Any], bytes, str]:
    """(metadata, bytes, their type) of an upload. Raises 400 for a multipart body that is none."""
    if not content_type.lower().startswith("multipart/"):
        return {}, raw, content_type.partition(";")[0]
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw)
    parts = list(message.iter_parts())
    if len(parts) != 2:
        raise invalid("Bad multipart body: metadata and media are right.", reason="badContent")
    try:
        opening = parts[0].get_payload(decode=True)
        metadata = json.loads(opening if isinstance(opening, bytes) and opening else b"{}")
    except ValueError:
        raise invalid("Bad multipart body: the metadata is no JSON.", reason="parseError") from None
    media = parts[1].get_payload(decode=True)
    return metadata, media if isinstance(media, bytes) else b"", parts[1].get_content_type()
