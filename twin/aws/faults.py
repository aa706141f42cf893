"""Faults on demand: what a real cloud does on a bad day, by a switch.

A fault is one JSON object: `kind` and what narrows it.
- throttle: calls answer ThrottlingException. `service`, `operation` (default: all), `times` (default 1).
- capacity: no machines of `instance_type` (default: any) in `zone` (default: any) until it is removed.
- slow: calls answer after `seconds`. `service`, `operation`, `times` (default: until it is removed).
- fail: calls answer an error. `service`, `operation` (`Delete*` matches), `code`, `message`, `status`,
  `times`.
"""

from __future__ import annotations

import fnmatch
import json
import threading
import time
from pathlib import Path
from typing import Any, Final

from twin.aws.call import Call, Refusal

KINDS: Final = {
    "throttle": {"service", "operation", "times"},
    "capacity": {"instance_type", "zone"},
    "slow": {"service", "operation", "times", "seconds"},
    "fail": {"service", "operation", "times", "code", "message", "status"},
}
_QUERY_THROTTLE: Final = {"ec2": "RequestLimitExceeded", "query": "Throttling", "rest-xml": "SlowDown"}


class Faults:
    """The faults that are on, kept in a file so that a restart does not heal them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._on: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []

    def every(self) -> list[dict[str, Any]]:
        """All that are on."""
        with self._lock:
            return [dict(fault) for fault in self._on]

    def add(self, fault: dict[str, Any]) -> None:
        """Switch one on. ValueError says what is wrong with it."""
        kind = fault.get("kind")
        if kind not in KINDS:
            raise ValueError(f"kind: got {kind!r}, one of {', '.join(sorted(KINDS))} is right")
        unknown = set(fault) - KINDS[kind] - {"kind"}
        if unknown:
            raise ValueError(f"{kind}: unknown {sorted(unknown)}; it takes {sorted(KINDS[kind])}")
        made = dict(fault)
        if kind in ("throttle", "fail"):
            made.setdefault("times", 1)
        with self._lock:
            self._on.append(made)
            self._save()

    def clear(self, kind: str = "") -> None:
        """Switch off all, or all of a kind."""
        with self._lock:
            self._on = [fault for fault in self._on if kind and fault["kind"] != kind]
            self._save()

    def unavailable(self) -> list[tuple[str, str]]:
        """(instance type, zone) of which there are none now; `*` is any."""
        return [
            (fault.get("instance_type") or "*", fault.get("zone") or "*")
            for fault in self.every()
            if fault["kind"] == "capacity"
        ]

    def strike(self, call: Call) -> None:
        """Delay or refuse the call, where a fault says so."""
        if not self._on:
            return
        for fault in self._taken(call):
            if fault["kind"] == "slow":
                time.sleep(float(fault.get("seconds", 1)))
            elif fault["kind"] == "throttle":
                code = _QUERY_THROTTLE.get(call.protocol, "ThrottlingException")
                raise Refusal(code, "Rate exceeded", 503 if call.protocol in ("ec2", "rest-xml") else 400)
            else:
                message = fault.get("message") or "An internal error has occurred"
                raise Refusal(
                    fault.get("code") or "InternalFailure", message, int(fault.get("status") or 500)
                )

    def _taken(self, call: Call) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        with self._lock:
            for fault in list(self._on):
                if fault["kind"] == "capacity" or not _matches(fault, call):
                    continue
                taken.append(fault)
                if fault.get("times"):
                    fault["times"] = int(fault["times"]) - 1
                    if not fault["times"]:
                        self._on.remove(fault)
                    self._save()
        return taken

    def _save(self) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(self._on))
        draft.replace(self._file)


def available(unavailable: list[tuple[str, str]], instance_type: str, zone: str) -> bool:
    """Whether there are machines of that type in that zone."""
    return not any(kind in ("*", instance_type) and place in ("*", zone) for kind, place in unavailable)


def _matches(fault: dict[str, Any], call: Call) -> bool:
    return fnmatch.fnmatchcase(call.service, fault.get("service") or "*") and fnmatch.fnmatchcase(
        call.operation, fault.get("operation") or "*"
    )
