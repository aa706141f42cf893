"""Use objects of Cloud Storage by google-cloud-storage.

JSON on stdin, JSON on stdout. The payload has the address of Google's APIs and `asks`: an access token, an
action, a bucket and a name each. Prints for each the content, the names, or the code of the refusal.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.storage import Client
from google.oauth2.credentials import Credentials

payload: dict[str, Any] = json.load(sys.stdin)


def _answer(ask: dict[str, Any]) -> Any:
    client = Client(
        "acme", credentials=Credentials(ask["token"]), client_options={"api_endpoint": payload["google"]}
    )
    bucket = client.bucket(ask["bucket"])
    blob = bucket.blob(ask["name"])
    match ask["do"]:
        case "create":
            blob.upload_from_string(ask["content"], if_generation_match=0, retry=None)
        case "write":
            blob.upload_from_string(ask["content"], retry=None)
        case "write in parts":
            blob.chunk_size = 256 * 1024
            with blob.open("w", retry=None) as file:
                file.write(ask["content"])
        case "read":
            return blob.download_as_text(retry=None)
        case "list":
            return sorted(entry.name for entry in client.list_blobs(bucket, prefix=ask["name"], retry=None))
        case "delete":
            blob.delete(retry=None)
        case action:
            raise ValueError(action)
    return "done"


def answer(ask: dict[str, Any]) -> Any:
    """Return the answer, or the code of HTTP by which Cloud Storage refuses."""
    try:
        return _answer(ask)
    except GoogleAPICallError as error:
        return error.code


sys.stdout.write(json.dumps({"answers": [answer(ask) for ask in payload["asks"]]}) + "\n")
