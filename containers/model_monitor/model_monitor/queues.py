"""The queue of a team: of SQS by its URL, a topic of Pub/Sub on Google Cloud."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final

from model_monitor.errors import RefusedError

_SQS: Final = re.compile(r"https?://\S+/\d{12}/[\w.-]+")
_TOPIC: Final = re.compile(r"projects/[^/\s]+/topics/[^/\s]+")
_PUBSUB: Final = "https://pubsub.googleapis.com/v1"
_SCOPE: Final = "https://www.googleapis.com/auth/pubsub"


def training(model: str) -> str:
    """Return the message that starts a training (docs/continuous-training.md)."""
    return json.dumps({"train": {"model": model, "cause": "drift"}})


def check(queue: str) -> str:
    """Return a queue. Raises RefusedError for another form."""
    if not (_SQS.fullmatch(queue) or _TOPIC.fullmatch(queue)):
        raise RefusedError(
            f"QUEUE: got {queue!r}; expected the URL of a queue of SQS, or projects/.../topics/..."
        )
    return queue


def send(queue: str, text: str) -> str:
    """Send a message, and return its id."""
    if queue.startswith("projects/"):
        body = {"messages": [{"data": base64.b64encode(text.encode()).decode()}]}
        return str(_post(f"{queue}:publish", body)["messageIds"][0])
    import boto3

    client: Any = boto3.client("sqs")
    return str(client.send_message(QueueUrl=queue, MessageBody=text)["MessageId"])


def _post(path: str, body: Any) -> Any:
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials: Any = google.auth.default(scopes=[_SCOPE])[0]
    answer = AuthorizedSession(credentials).post(f"{_PUBSUB}/{path}", json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()
