"""Long polling of SQS: a call that waits does so outside of moto, which serves one call at a time."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from twin.aws.call import Answer, Call

_POLL: Final = 0.1
"""Seconds between looks at a queue."""


def awaited(call: Call, front: Any) -> Call | Answer:
    """Return a call to make now. ReceiveMessage first waits for messages, as long as it says, and becomes a
    call that does not wait; where none came, this is its answer, which nothing has to remember."""
    if (call.service, call.operation) != ("sqs", "ReceiveMessage"):
        return call
    name = str(call.params.get("QueueUrl") or "").rpartition("/")[2]
    end = 0.0
    while True:
        with front.moto.lock:
            queue: Any = front.moto.backend("sqs", call.region).queues.get(name)
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
    return replace(call, body=json.dumps({**json.loads(call.body), "WaitTimeSeconds": 0}).encode())


def _none(call: Call) -> Answer:
    if call.protocol == "query":
        body = "<ReceiveMessageResponse><ReceiveMessageResult/></ReceiveMessageResponse>"
        return Answer(200, [("Content-Type", "text/xml")], body.encode())
    return Answer(200, [("Content-Type", "application/x-amz-json-1.0")], b"{}")
