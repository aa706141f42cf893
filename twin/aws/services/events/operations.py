"""Events that EC2 sends to the default event bus: changes of the states of instances, and the warning
before a spot instance ends (EC2 user guide, "Automate Amazon EC2 using EventBridge")."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.internal_client import SERVICE_HEADER, Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.validation.extension_store import respond
from twin.kubernetes.time_scale import factor

LOG = logging.getLogger(__name__)
SOURCE: Final = "aws.ec2"
WARNING_SECONDS: Final = 120.0
"""From the warning to the end of a spot instance."""
_STATES: Final = {
    "TerminateInstances": ("shutting-down", "terminated"),
    "StopInstances": ("stopping", "stopped"),
    "StartInstances": ("pending", "running"),
}


class Notices:
    """The events of EC2. What waits when the API server ends is forgotten, and EC2's instances stay."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._ec2 = Inside(server)
        self._ending = threading.Event()

    def take(self, call: Call, answer: Answer) -> None:
        """Send the states that a call has brought about."""
        if call.service != "ec2" or call.operation not in _STATES or not answer.good:
            return
        for instance in call.params.get("InstanceIds") or []:
            for state in _STATES[call.operation]:
                self._send(
                    "EC2 Instance State-change Notification", {"instance-id": instance, "state": state}
                )

    def interrupt(self, instance: str) -> None:
        """Announce the end of a spot instance, which comes two minutes of the twin's clock later. Raises
        ValueError for an instance that is no running spot instance."""
        if not self._is_spot(instance):
            raise ValueError(f"instance: got {instance!r}, the id of a spot instance that runs is right")
        self._send(
            "EC2 Spot Instance Interruption Warning",
            {"instance-id": instance, "instance-action": "terminate"},
        )
        threading.Thread(target=self._end, args=(instance,), daemon=True).start()

    def close(self) -> None:
        """End no further instance."""
        self._ending.set()

    def _is_spot(self, instance: str) -> bool:
        with self._server.moto.lock:
            return any(
                one.id == instance and one.state == "running" and one.lifecycle == "spot"
                for reservation in self._server.moto.backend("ec2").reservations.values()
                for one in reservation.instances
            )

    def _end(self, instance: str) -> None:
        if self._ending.wait(WARNING_SECONDS / factor()) or not self._is_spot(instance):
            return
        try:
            self._ec2.call("ec2", "terminate_instances", InstanceIds=[instance])
        except Refusal as error:
            LOG.warning("the spot instance %s does not end: %s", instance, error)

    def _send(self, kind: str, detail: dict[str, str]) -> None:
        with self._server.moto.lock:
            bus = self._server.moto.backend("events").event_buses["default"]
            if not bus.rules:
                return  # nothing would be remembered of it
        entry = {"Source": SOURCE, "DetailType": kind, "Detail": json.dumps(detail)}
        self._ec2.call("events", "put_events", Entries=[entry])


def put_events(call: Call, _: Any) -> Answer | None:
    """PutEvents: events of AWS's own services come from these alone; None leaves any other call to moto."""
    entries = call.params.get("Entries") or []
    if call.environ.get(SERVICE_HEADER) or not any(_is_reserved(entry) for entry in entries):
        return None
    if not all(_is_reserved(entry) for entry in entries):
        raise NotImplementedError("entries of AWS's sources together with others")
    failed = {
        "ErrorCode": "NotAuthorizedForSourceException",
        "ErrorMessage": "Not authorized for the source.",
    }
    return respond(call, {"FailedEntryCount": len(entries), "Entries": [failed for _ in entries]})


def _is_reserved(entry: dict[str, Any]) -> bool:
    return str(entry.get("Source")).startswith("aws.")


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {"PutEvents": put_events}
