"""The queue of alerts: a queue of SQS by its URL, or a subscription of Pub/Sub."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_PUBSUB: Final = "https://pubsub.googleapis.com/"
_ENDPOINT: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB"
"""The variable of gcloud with another address of Pub/Sub, such as that of a private endpoint."""
_SCOPE: Final = "https://www.googleapis.com/auth/pubsub"
_MOST: Final = 10
"""Messages of a request; SQS allows no more."""


@dataclass(frozen=True)
class Message:
    """A message, which comes again unless it is deleted. handle: by which it is deleted. attributes: of
    Pub/Sub."""

    text: str
    handle: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def receive(queue: str) -> Iterator[Message]:
    """Yield the messages that the queue has now, until a request returns none."""
    while batch := (_pull(queue) if queue.startswith("projects/") else _poll(queue)):
        yield from batch


def delete(queue: str, message: Message) -> None:
    """Delete a message that was handled."""
    if queue.startswith("projects/"):
        _post(f"{queue}:acknowledge", {"ackIds": [message.handle]})
    else:
        _sqs().delete_message(QueueUrl=queue, ReceiptHandle=message.handle)


def _poll(queue: str) -> list[Message]:
    answer = _sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=_MOST, WaitTimeSeconds=2)
    return [Message(entry["Body"], entry["ReceiptHandle"]) for entry in answer.get("Messages", ())]


def _pull(queue: str) -> list[Message]:
    answer = _post(f"{queue}:pull", {"maxMessages": _MOST, "returnImmediately": True})
    return [
        Message(
            base64.b64decode(entry["message"].get("data", "")).decode(),
            entry["ackId"],
            entry["message"].get("attributes", {}),
        )
        for entry in answer.get("receivedMessages", ())
    ]


def _sqs() -> Any:
    import boto3

    return boto3.client("sqs")


def _post(path: str, body: Any) -> Any:
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    root = os.environ.get(_ENDPOINT) or _PUBSUB
    credentials: Any = google.auth.default(scopes=[_SCOPE])[0]
    answer = AuthorizedSession(credentials).post(f"{root.rstrip('/')}/v1/{path}", json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()
