"""Queues: of SQS, by their URL; on Google Cloud a topic of Pub/Sub to send to, and a subscription to read."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_PUBSUB: Final = "https://pubsub.googleapis.com/v1"
_SCOPE: Final = "https://www.googleapis.com/auth/pubsub"


@dataclass(frozen=True)
class Message:
    """A message, which comes again, with the same id, unless it is deleted. handle: by which it is deleted.
    attributes: of Pub/Sub."""

    text: str
    id: str
    handle: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def send(queue: str, text: str) -> str:
    """Send a message, and return its id."""
    if queue.startswith("projects/"):
        body = {"messages": [{"data": base64.b64encode(text.encode()).decode()}]}
        return str(_post(f"{queue}:publish", body)["messageIds"][0])
    return str(_sqs().send_message(QueueUrl=queue, MessageBody=text)["MessageId"])


def receive(queue: str) -> Message | None:
    """Return a message; None where there is none within some seconds."""
    if queue.startswith("projects/"):
        received = _post(f"{queue}:pull", {"maxMessages": 1}).get("receivedMessages")
        if not received:
            return None
        message = received[0]["message"]
        text = base64.b64decode(message.get("data", "")).decode()
        return Message(text, message["messageId"], received[0]["ackId"], message.get("attributes", {}))
    received = (
        _sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=1, WaitTimeSeconds=5).get("Messages")
    )
    if not received:
        return None
    return Message(received[0]["Body"], received[0]["MessageId"], received[0]["ReceiptHandle"])


def delete(queue: str, message: Message) -> None:
    """Delete a message that was handled."""
    if queue.startswith("projects/"):
        _post(f"{queue}:acknowledge", {"ackIds": [message.handle]})
    else:
        _sqs().delete_message(QueueUrl=queue, ReceiptHandle=message.handle)


def _sqs() -> Any:
    import boto3

    return boto3.client("sqs")


def _post(path: str, body: Any) -> Any:
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials: Any = google.auth.default(scopes=[_SCOPE])[0]
    answer = AuthorizedSession(credentials).post(f"{_PUBSUB}/{path}", json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()
