"""Log objects of KServe 0.20's agent: batches of requests and answers.

What the agent writes (kserve v0.20.0, pkg/logger):
`URL/NAMESPACE/INFERENCESERVICE/COMPONENT/PATH/ID-TYPE.EXTENSION` with the id and type of the first record of
the batch. A batch of one record as JSON is an object, of several an array; CSV and Parquet have the same
fields without the time of the record. Bodies are in base64. Records of a Pod are in order: an answer is in
the object of its request or in a later one.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

RELEASE: Final = "ai-platform/release"
"""The annotation of an InferenceService with the version that it serves."""
_REQUEST: Final = "org.kubeflow.serving.inference.request"
_RESPONSE: Final = "org.kubeflow.serving.inference.response"
_FRACTION: Final = re.compile(r"\.(\d+)")


class UnreadableError(Exception):
    """An object, or a record of it, that is none of KServe's."""


@dataclass(frozen=True)
class Record:
    """A request or an answer. time: when the agent got it; None where the object does not state it. version:
    of the annotation; None without."""

    id: str
    is_request: bool
    body: bytes
    content_type: str
    inference_service: str
    version: str | None
    time: datetime | None


def parse(key: str, data: bytes) -> list[Record]:
    """Return the records of an object. Raises UnreadableError: nothing of it is used."""
    extension = key.rpartition(".")[2]
    readers = {"json": _json, "csv": _csv, "parquet": _parquet}
    if extension not in readers:
        raise UnreadableError(f"extension {extension!r}; expected json, csv or parquet")
    try:
        return [_record(entry) for entry in readers[extension](data)]
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from error


def _json(data: bytes) -> list[dict[str, Any]]:
    parsed = json.loads(data)
    return parsed if isinstance(parsed, list) else [parsed]


def _csv(data: bytes) -> list[dict[str, Any]]:
    # A body may be longer than the limit of the module, 128 KiB.
    csv.field_size_limit(1 << 30)
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def _parquet(data: bytes) -> list[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.read_table(io.BytesIO(data)).to_pylist()
    except pyarrow.ArrowException as error:
        raise UnreadableError(str(error)) from error


def _record(entry: dict[str, Any]) -> Record:
    kind = entry["reqType"]
    if kind not in (_REQUEST, _RESPONSE):
        raise UnreadableError(f"reqType {kind!r}")
    annotations = entry.get("annotations") or {}
    if isinstance(annotations, str):
        annotations = json.loads(annotations)
    try:
        body = base64.b64decode(entry.get("bytes") or "", validate=True)
    except binascii.Error as error:
        raise UnreadableError(f"bytes: {error}") from error
    return Record(
        id=str(entry["id"]),
        is_request=kind == _REQUEST,
        body=body,
        content_type=entry.get("contentType") or "",
        inference_service=entry.get("inferenceService") or "",
        version=annotations.get(RELEASE) or None,
        time=_time(entry.get("occurrenceTime")),
    )


def _time(text: str | None) -> datetime | None:
    """Return a time of Go in RFC 3339, with nanoseconds; None for none and for Go's zero."""
    if not text or text.startswith("0001-"):
        return None
    microseconds = _FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", text)
    return datetime.fromisoformat(microseconds).astimezone(UTC)
