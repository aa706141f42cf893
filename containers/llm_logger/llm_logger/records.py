"""Records as objects in the layout of KServe 0.20's agent, which the Jobs that monitor models read.

`NAMESPACE/INFERENCESERVICE/gateway/requests/ID-request.json` is an array of requests, each of which is a body
of KServe's protocol V1 with one instance: what was measured.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from llm_logger.exchange import Record

RELEASE: Final = "ai-platform/release"
"""The label of InferenceServices with the version, and the annotation of records."""
_REQUEST: Final = "org.kubeflow.serving.inference.request"
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{8,64}")


def key(namespace: str, inference_service: str) -> str:
    """Return the key of a new object."""
    return f"{namespace}/{inference_service}/gateway/requests/{uuid.uuid4()}-request.json"


def encode(records: Sequence[Record], version: str | None) -> bytes:
    """Return the object of records of one InferenceService. version: that it serves; None: not known, and
    the rows are problems."""
    annotations = {} if version is None else {RELEASE: version}
    return json.dumps([_entry(record, annotations) for record in records]).encode()


def _entry(record: Record, annotations: Mapping[str, str]) -> dict[str, Any]:
    body = json.dumps({"instances": [record.values]}).encode()
    # Clients state this header, too: what is no id is not used as one.
    identifier = record.request_id if _ID.fullmatch(record.request_id) else str(uuid.uuid4())
    return {
        "id": identifier,
        "reqType": _REQUEST,
        "bytes": base64.b64encode(body).decode(),
        "contentType": "application/json",
        "inferenceService": record.inference_service,
        "annotations": annotations,
        "occurrenceTime": record.time.isoformat().replace("+00:00", "Z"),
    }
