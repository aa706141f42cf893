"""SQS: long polling outside of moto, which serves one call at a time; policies of queues."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from twin.aws.api_server.request import Answer, Call
from twin.aws.iam import policy_statements

_EVENTS: Final = frozenset({"events.amazonaws.com"})
_POLL: Final = 0.1
"""Seconds between looks at a queue."""


def install() -> None:
    """Put the behaviour into moto, once."""
    from moto.events.models import Rule
    from moto.sqs.models import Queue

    queues: Any = Queue
    if hasattr(queues, "twin_set_attributes"):
        return
    queues.twin_set_attributes = queues._set_attributes
    queues._set_attributes = _set_attributes
    rules: Any = Rule
    rules.twin_send_to_sqs_queue = rules._send_to_sqs_queue
    rules._send_to_sqs_queue = _send_to_sqs_queue


def awaited(call: Call, server: Any) -> Call | Answer:
    """Return a call to make now. ReceiveMessage first waits for messages, as long as it says, and becomes a
    call that does not wait; where none came, this is its answer, which nothing has to remember."""
    if (call.service, call.operation) != ("sqs", "ReceiveMessage"):
        return call
    name = str(call.params.get("QueueUrl") or "").rpartition("/")[2]
    end = 0.0
    while True:
        with server.moto.lock:
            queue: Any = server.moto.backend("sqs", call.region).queues.get(name)
            if queue is None or any(message.visible for message in queue.messages):
                return _at_once(call)
        if not end:
            wait = call.params.get("WaitTimeSeconds")
            end = time.monotonic() + float(queue.receive_message_wait_time_seconds if wait is None else wait)
        if time.monotonic() >= end:
            return _none(call)
        time.sleep(_POLL)


def _at_once(call: Call) -> Call:
    if call.protocol == "query":
        form = {**{key: values[0] for key, values in call.form.items()}, "WaitTimeSeconds": "0"}
        return replace(call, body=urlencode(form).encode())
    body = {**json.loads(call.body), "WaitTimeSeconds": 0}
    # The older name of this parameter has values in use, such as SentTimestamp, that the model does not list.
    names = body.pop("AttributeNames", None)
    if names:
        body.setdefault("MessageSystemAttributeNames", names)
    return replace(call, body=json.dumps(body).encode())


def _none(call: Call) -> Answer:
    if call.protocol == "query":
        body = "<ReceiveMessageResponse><ReceiveMessageResult/></ReceiveMessageResponse>"
        return Answer(200, [("Content-Type", "text/xml")], body.encode())
    return Answer(200, [("Content-Type", "application/x-amz-json-1.0")], b"{}")


def _set_attributes(self: Any, attributes: Any, now: float | None = None) -> None:
    """A queue keeps its policy where another attribute is set."""
    before = getattr(self, "policy", None)
    self.twin_set_attributes(attributes, now)
    self.policy = attributes.get("Policy", before) or None


def _send_to_sqs_queue(self: Any, name: str, event: Any, group: str | None = None) -> None:
    """EventBridge sends only to a queue whose policy allows it, and by whose key it may encrypt: else the
    event is lost."""
    from moto.sqs.models import sqs_backends

    queue: Any = sqs_backends[self.account_id][self.region_name].queues.get(name)
    context = {
        "aws:SourceArn": self.arn,
        "aws:SourceAccount": self.account_id,
        "aws:SecureTransport": "true",
        "aws:PrincipalIsAWSService": "true",
    }
    if (
        queue is not None
        and policy_statements.lets(queue.policy, _EVENTS, "sqs:SendMessage", queue.queue_arn, context)
        and _may_encrypt(queue, context)
    ):
        self.twin_send_to_sqs_queue(name, event, group)


def _may_encrypt(queue: Any, context: policy_statements.Context) -> bool:
    """Whether EventBridge may use the key of a queue. No policy of a key of AWS's own allows it."""
    from moto.kms.models import kms_backends

    if not queue.kms_master_key_id:
        return True
    name = queue.kms_master_key_id.rpartition(":")[2].removeprefix("key/")
    keys: list[Any] = list(kms_backends[queue.account_id][queue.region].keys.values())
    key = next((key for key in keys if name == key.id or name in key.aliases), None)
    if key is None or key.key_manager == "AWS":
        return False
    encryption = {**context, "kms:EncryptionContext:aws:sqs:arn": queue.queue_arn}
    actions = ("kms:GenerateDataKey", "kms:Decrypt")
    return all(policy_statements.lets(key.policy, _EVENTS, action, key.arn, encryption) for action in actions)
