"""The function of Cloud Run: a message of Pub/Sub for each object, which it sends as a request.

An object is delivered at least once: rows are inserted where their id is new, so that a repetition changes
nothing.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

import functions_framework
import google.auth
import google.auth.transport.requests
import pyarrow as pa
from google.api_core.exceptions import Forbidden, PreconditionFailed
from google.cloud import storage
from pyiceberg.catalog import load_catalog
from pyiceberg.table import Table

from ingest.events import Event, InvalidFileError, read

LOG = logging.getLogger(__name__)
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@functions_framework.http
def handle(request: Any) -> tuple[dict[str, Any], int]:
    """Register an object, or put it into quarantine. Any other failure is an error of the request, which
    Pub/Sub repeats."""
    bucket, key = _object(request.get_json())
    client = storage.Client(project=os.environ["GOOGLE_CLOUD_PROJECT"])
    content = client.bucket(bucket).blob(key).download_as_bytes()
    try:
        events = read(content, f"gs://{bucket}/{key}")
    except InvalidFileError as error:
        target = _quarantine(client, bucket, key, content, str(error))
        LOG.warning("%s is in quarantine as %s: %s", key, target, error)
        return {"quarantine": target, "reason": str(error)}, 200
    inserted = register(_table(), events)
    LOG.info("%s: %d events, %d of them new", key, len(events), inserted)
    return {"registered": len(events)}, 200


def _object(message: dict[str, Any]) -> tuple[str, str]:
    attributes = message["message"].get("attributes") or {}
    if "objectId" in attributes:
        return attributes["bucketId"], attributes["objectId"]
    content = json.loads(base64.b64decode(message["message"]["data"]))
    return content["bucket"], content["name"]


def _quarantine(client: Any, bucket: str, key: str, content: bytes, reason: str) -> str:
    target = os.environ["QUARANTINE"] + key
    holder = client.bucket(bucket)
    for name, body in ((target, content), (f"{target}.reason.txt", reason.encode())):
        # roles/storage.objectCreator replaces nothing: of a repeated message the object is there already.
        with _existing_stays():
            holder.blob(name).upload_from_string(body, if_generation_match=0)
    return target


@contextlib.contextmanager
def _existing_stays() -> Iterator[None]:
    """Pass over an object that exists: 412 by the condition, or 403 for the right to replace it; the
    documentation does not state which is checked first."""
    try:
        yield
    except PreconditionFailed:
        pass
    except Forbidden as error:
        if "storage.objects.delete" not in str(error):
            raise


def _table() -> Table:
    credentials, _ = google.auth.default(scopes=[_SCOPE])
    credentials.refresh(google.auth.transport.requests.Request())
    catalog = load_catalog(
        "lake",
        **{
            "type": "rest",
            "uri": os.environ["CATALOG_URI"],
            "warehouse": os.environ["WAREHOUSE"],
            "token": credentials.token,
            "header.x-goog-user-project": os.environ["GOOGLE_CLOUD_PROJECT"],
            # The catalog issues credentials for the files: the function has no role on them.
            "header.X-Iceberg-Access-Delegation": "vended-credentials",
        },
    )
    return catalog.load_table(os.environ["TABLE"])


def register(table: Table, events: Sequence[Event]) -> int:
    """Insert the events that the table does not have; return their number."""
    schema = table.schema().as_arrow()
    rows = [{name: getattr(event, name) for name in schema.names} for event in events]
    data = pa.Table.from_pylist(rows, schema=schema)
    result = table.upsert(data, join_cols=["event_id"], when_matched_update_all=False)
    return result.rows_inserted
