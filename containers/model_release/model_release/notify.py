"""Messages to the queue of a team: that a version was promoted, and has to be rolled out."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final

from model_release import names
from model_release.errors import RefusedError

_SQS: Final = re.compile(r"https?://\S+/\d{12}/[\w.-]+")
_TOPIC: Final = re.compile(r"projects/[^/\s]+/topics/[^/\s]+")
_PUBSUB: Final = "https://pubsub.googleapis.com/v1"
_SCOPE: Final = "https://www.googleapis.com/auth/pubsub"


def message(model: names.Model, version: str, request: str) -> str:
    """Return the message. request: identifies the promotion: a message that arrives twice is one rollout."""
    return json.dumps({"rollout": {"model": str(model), "version": version, "request": request}})


def send(queue: str, text: str) -> str:
    """Send a message, and return its id. queue: the URL of a queue of SQS, or `projects/.../topics/...`.

    Raises RefusedError for another form."""
    if _SQS.fullmatch(queue):
        return _to_sqs(queue, text)
    if _TOPIC.fullmatch(queue):
        return _to_pubsub(queue, text)
    raise RefusedError(
        f"--queue: got {queue!r}; expected the URL of a queue of SQS, or projects/.../topics/..."
    )


def _to_sqs(queue: str, text: str) -> str:
    import boto3

    client: Any = boto3.client("sqs")
    return str(client.send_message(QueueUrl=queue, MessageBody=text)["MessageId"])


def _to_pubsub(topic: str, text: str) -> str:
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials: Any = google.auth.default(scopes=[_SCOPE])[0]
    body = {"messages": [{"data": base64.b64encode(text.encode()).decode()}]}
    answer = AuthorizedSession(credentials).post(f"{_PUBSUB}/{topic}:publish", json=body, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["messageIds"][0])
