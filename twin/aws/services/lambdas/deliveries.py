"""Events of S3 that EventBridge sends to functions, asynchronous calls, and what becomes of those that fail.

S3 user guide, "Using EventBridge"; Lambda developer guide, "Invoking a Lambda function asynchronously" and
"Retaining records of asynchronous invocations". A call is repeated at once, and not after one and two
minutes. What waits when the API server ends is lost.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.moto_wrapping import wrap
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import policy_statements
from twin.aws.services.lambdas import validation as lambdas
from twin.aws.validation.moto_state import MotoState

LOG = logging.getLogger(__name__)
_EVENTS: Final = "events.amazonaws.com"
_REASONS: Final = {
    "PutObject": "PutObject",
    "CopyObject": "CopyObject",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}
_RETRIES: Final = 2
Props = dict[str, Any]


def install() -> None:
    """Leave the targets that are functions to `Deliveries`, once: moto has none."""
    from moto.events.models import Rule

    wrap(Rule, send_to_targets=_send_to_targets)


def _send_to_targets(self: Any, event: Any, transform_input: bool = True) -> None:
    everything = self.targets
    self.targets = [target for target in everything if not _is_function(target)]
    try:
        if self.targets:
            self.twin_send_to_targets(event, transform_input)
    finally:
        self.targets = everything


def _is_function(target: Props) -> bool:
    return str(target.get("Arn")).split(":")[2] == "lambda"


class Deliveries:
    """What is delivered to the functions of one instance's AWS."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._service = Inside(server)
        self._ending = threading.Event()

    def take(self, call: Call, answer: Answer) -> None:
        """Send the event of an object that a call has created."""
        if call.service != "s3" or call.operation not in _REASONS or not answer.good:
            return
        bucket, key = str(call.params.get("Bucket")), str(call.params.get("Key"))
        with self._server.moto.lock:
            targets = list(self._targets(call, bucket, key))
        for event, target, rule in targets:
            arguments = (event, target, rule, call.region or self._server.instance.region)
            threading.Thread(target=self._deliver, args=arguments, daemon=True).start()

    def close(self) -> None:
        """Repeat no call that failed."""
        self._ending.set()

    def _targets(self, call: Call, bucket: str, key: str) -> Any:
        moto = self._server.moto
        holder: Any = moto.backend("s3").buckets.get(bucket)
        configuration = getattr(holder, "notification_configuration", None)
        if configuration is None or configuration.event_bridge is None:
            return
        event = _event(call, moto, bucket, key)
        for rule in moto.backend("events").event_buses["default"].rules.values():
            functions = [target for target in rule.targets if _is_function(target)]
            if functions and rule.state == "ENABLED" and rule.event_pattern.matches_event(event):
                for target in functions:
                    yield event, target, rule

    def _deliver(self, event: Props, target: Props, rule: Any, region: str) -> None:
        """Call a function as its policy allows EventBridge to; otherwise the event becomes a dead letter."""
        arn = str(target["Arn"])
        name, _, qualifier = arn.partition(":function:")[2].partition(":")
        with self._server.moto.lock:
            state = MotoState(self._server.moto, region)
            holder = lambdas.find(state, name)
            context = {"aws:SourceArn": rule.arn, "aws:SourceAccount": state.account}
            allowed = holder is not None and _allows(holder, arn, context)
            function = (
                lambdas.called(state, {"FunctionName": name, "Qualifier": qualifier}) if allowed else None
            )
        if function is None:
            queue = (target.get("DeadLetterConfig") or {}).get("Arn")
            LOG.warning("an event for %s was not delivered: no function allows it", arn)
            if queue:
                self._send(self._service, str(queue), event)
            return
        self.later(
            region, {"FunctionName": name, "Qualifier": qualifier}, json.dumps(event).encode(), function
        )

    def later(self, region: str, params: Props, event: bytes, function: Any) -> None:
        """Call a function until it succeeds, at most three times; then its destination gets the event."""
        try:
            self._later(region, params, event, function)
        except Exception:
            LOG.exception("calling %s failed in the twin", function.function_name)

    def _later(self, region: str, params: Props, event: bytes, function: Any) -> None:
        config = self._config(region, params)
        retries = config.get("MaximumRetryAttempts", _RETRIES)
        request, attempts = str(uuid.uuid4()), 0
        ran: Any = None
        while attempts <= retries and not self._ending.is_set():
            ran = self._server.functions.run(region, params, event, request)
            if ran is None:
                time.sleep(0.2)  # throttled, which is no attempt
                continue
            attempts += 1
            if not ran.failed:
                return
        destination = (config.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
        if destination and ran is not None:
            record = _record(function, request, attempts, event, ran)
            self._send(self._of_role(function), str(destination), record)

    def _config(self, region: str, params: Props) -> Props:
        with self._server.moto.lock:
            holder = lambdas.find(MotoState(self._server.moto, region), str(params["FunctionName"]))
            configs = holder.event_invoke_config if holder is not None else []
            return dict(configs[0].config) if configs else {}

    def _of_role(self, function: Any) -> Inside:
        session = self._service.call(
            "sts", "assume_role", RoleArn=function.role, RoleSessionName=function.function_name
        )
        return Inside(self._server, session["Credentials"]["AccessKeyId"], function.region)

    def _send(self, sender: Inside, queue: str, content: Props) -> None:
        name = queue.rpartition(":")[2]
        try:
            url = self._service.call("sqs", "get_queue_url", QueueName=name)["QueueUrl"]
            sender.call("sqs", "send_message", QueueUrl=url, MessageBody=json.dumps(content))
        except Refusal as error:
            LOG.warning("a dead letter for %s was lost: %s", queue, error.message)


def _allows(function: Any, arn: str, context: policy_statements.Context) -> bool:
    return any(
        statement.get("Effect") == "Allow"
        and _EVENTS in policy_statements.services(statement)
        and policy_statements.applies(statement, "lambda:InvokeFunction", arn, context)
        for statement in lambdas.statements(function)
    )


def _event(call: Call, moto: Any, bucket: str, key: str) -> Props:
    """The event, with the members that the guide shows."""
    now = datetime.now(UTC)
    item: Any = moto.backend("s3").buckets[bucket].keys.get(key)
    detail: Props = {"key": key, "sequencer": f"{time.time_ns():018X}"}
    if item is not None:
        detail |= {"size": item.size, "etag": str(item.etag).strip('"')}
        if item.version_id:
            detail["version-id"] = str(item.version_id)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": moto.account,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": call.region,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": detail,
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": moto.account,
            "source-ip-address": str(call.environ.get("REMOTE_ADDR") or "127.0.0.1"),
            "reason": _REASONS[call.operation],
        },
    }


def _record(function: Any, request: str, attempts: int, event: bytes, ran: Any) -> Props:
    """What a destination gets of a call that failed."""
    version = f":{function.version}"
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request,
            "functionArn": f"{function.function_arn.removesuffix(version)}{version}",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(event),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": str(function.version),
            "functionError": "Unhandled",
        },
        "responsePayload": json.loads(ran.payload or b"null"),
    }
