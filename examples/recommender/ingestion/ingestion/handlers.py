"""The function of each cloud: one call for each object that arrives in raw.

Variables: CLICKS_TABLE and IMPRESSIONS_TABLE (`database.table`), and those of PyIceberg's catalog `default`
(`PYICEBERG_CATALOG__DEFAULT__URI` and its like), which the platform adds (docs/functions.md). Any failure
other than an invalid object is raised: the platform repeats the call, and then the event is a dead letter.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, Final

from pyarrow import fs

from ingestion.gate import Gate

GOOGLE: Final = {"auth": {"type": "google"}}
"""What the catalog of BigLake needs in addition: PyIceberg reads no mapping from a variable."""
logging.basicConfig(level=logging.INFO)
log = logging.getLogger("ingestion")


def of_variables(properties: Mapping[str, Any] = MappingProxyType({})) -> Gate:
    """Return the gate that the variables declare. properties: of the catalog, in addition to them."""
    tables = {name: os.environ[f"{name.upper()}_TABLE"] for name in ("clicks", "impressions")}
    return Gate(tables, properties)


def aws(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Handle an event of EventBridge ("Object Created"): the handler of the image on Lambda."""
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    # Arrow does not read the variable of Amazon's SDKs for another endpoint.
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    system = fs.S3FileSystem(region=os.environ["AWS_REGION"], endpoint_override=endpoint)
    return _register(of_variables(), system, bucket, key)


def gcp(request: Any) -> tuple[dict[str, Any], int]:
    """Handle a message of Pub/Sub, which Cloud Run gets as a request, with a notification of Cloud
    Storage."""
    message = request.get_json()["message"]
    attributes = message.get("attributes") or {}
    if "objectId" in attributes:
        bucket, key = attributes["bucketId"], attributes["objectId"]
    else:
        content = json.loads(base64.b64decode(message["data"]))
        bucket, key = content["bucket"], content["name"]
    return _register(of_variables(GOOGLE), fs.GcsFileSystem(), bucket, key), 200


def _register(gate: Gate, system: fs.FileSystem, bucket: str, key: str) -> dict[str, Any]:
    result = gate.register(system, bucket, key)
    log.info("%s: %s", key, result)
    return asdict(result)
