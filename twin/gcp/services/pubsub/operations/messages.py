"""Pub/Sub: messages of subscriptions that are pulled.

A message is stored with each subscription until it is acknowledged, or as long as the subscription retains
it. Filters of subscriptions and transforms are not evaluated, and nothing is pushed or exported.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Final

from twin.gcp.api_server.errors import invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import handles
from twin.gcp.methods.rules import seconds
from twin.gcp.services.pubsub.operations.topics import missing

_PUSHED: Final = ("pushConfig", "bigqueryConfig", "cloudStorageConfig")
_MOST: Final = 1000
"""Messages of a request ("Pub/Sub quotas and limits")."""
_LONGEST: Final = 600
"""Seconds of an acknowledgement deadline."""


@handles("pubsub.projects.topics.publish")
def publish(call: Call) -> dict[str, Any]:
    """Add messages to each subscription of a topic that is pulled."""
    name = call.parameters["topic"]
    if call.state.get(f"pubsub/{name}") is None:
        raise missing(name)
    messages: list[Body] = call.body.get("messages") or []
    if not 1 <= len(messages) <= _MOST:
        raise invalid(f"The value for message_count is out of range: {len(messages)}; it is 1 to {_MOST}.")
    if any(not message.get("data") and not message.get("attributes") for message in messages):
        raise invalid(
            "One or more messages in the publish request is empty. Each message must contain either "
            "non-empty data, or at least one attribute."
        )
    moment = datetime.fromtimestamp(call.at, UTC).isoformat().replace("+00:00", "Z")
    stored: list[Body] = [
        {**message, "messageId": str(secrets.randbelow(10**16)), "publishTime": moment}
        for message in messages
    ]
    for row, subscription in call.state.of("pubsub.subscriptions", "pubsub/"):
        if subscription["topic"] == name and not _is_pushed(subscription):
            pending = [{"message": message, "at": call.at, "until": 0.0, "ack": ""} for message in stored]
            call.state.keep(row, {"messages": [*_messages(call, row), *pending]})
    return {"messageIds": [message["messageId"] for message in stored]}


@handles("pubsub.projects.subscriptions.pull")
def pull(call: Call) -> dict[str, Any]:
    """Return messages that no other pull has; each comes again after the deadline."""
    row, subscription = _subscription(call)
    most = int(call.body.get("maxMessages") or 0)
    if most < 1:
        raise invalid(f"The value for max_messages is too small. You passed {most}; the minimum value is 1.")
    retained = call.at - seconds(subscription["messageRetentionDuration"])
    kept = [entry for entry in _messages(call, row) if entry["at"] >= retained]
    received = [entry for entry in kept if entry["until"] <= call.at][:most]
    for entry in received:
        entry.update(until=call.at + int(subscription["ackDeadlineSeconds"]), ack=secrets.token_urlsafe(24))
    call.state.keep(row, {"messages": kept})
    if not received:
        return {}
    return {"receivedMessages": [{"ackId": entry["ack"], "message": entry["message"]} for entry in received]}


@handles("pubsub.projects.subscriptions.acknowledge")
def acknowledge(call: Call) -> dict[str, Any]:
    """Delete messages. An unknown id is no error: the message has come again since."""
    row, _ = _subscription(call)
    ids = _ack_ids(call)
    call.state.keep(row, {"messages": [entry for entry in _messages(call, row) if entry["ack"] not in ids]})
    return {}


@handles("pubsub.projects.subscriptions.modifyAckDeadline")
def modify_deadline(call: Call) -> dict[str, Any]:
    """Change when messages come again; 0 is at once."""
    row, _ = _subscription(call)
    ids, wait = _ack_ids(call), int(call.body.get("ackDeadlineSeconds") or 0)
    if not 0 <= wait <= _LONGEST:
        raise invalid(
            f"Invalid ack deadline given (ack_deadline_secs={wait}): from 0 to {_LONGEST} is right."
        )
    messages = _messages(call, row)
    for entry in messages:
        if entry["ack"] in ids:
            entry["until"] = call.at + wait
    call.state.keep(row, {"messages": messages})
    return {}


def _ack_ids(call: Call) -> set[str]:
    ids = call.body.get("ackIds") or []
    if not ids:
        raise invalid("No ack ids specified.")
    return set(ids)


def _messages(call: Call, row: str) -> list[Body]:
    return call.state.kept(row).get("messages", [])


def _is_pushed(subscription: Body) -> bool:
    return any(subscription.get(kind) for kind in _PUSHED)


def _subscription(call: Call) -> tuple[str, Body]:
    name = call.parameters["subscription"]
    subscription = call.state.get(f"pubsub/{name}")
    if subscription is None:
        raise missing(name)
    if _is_pushed(subscription):
        raise precondition("This method is only supported for pull subscriptions.")
    return f"pubsub/{name}", subscription
