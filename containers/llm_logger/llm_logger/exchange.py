"""A request and its answer, as Envoy copies them: what is measured of them, and how much memory they take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from llm_logger import completions
from llm_logger.configuration import Logged, Service

SERVED_BY: Final = "x-served-by"
"""The header of an answer with the InferenceService, which the gateway's route sets."""
OF_SERVER: Final = "via_upstream"
"""Envoy's `response.code_details` of an answer that is not its own. Those have the header, too."""
BODY: Final = 1 << 20
"""Bytes of a body, or of an event of a stream, that are kept until it is read."""
PAYLOAD: Final = 32_768
"""Characters of a text that a record with payloads has."""
ABORTED: Final = "aborted"
"""The finish_reason where the answer has no end: its client or its server closed the connection."""
_ID: Final = 64
COLUMNS: Final = (
    "status",
    "prompt_characters",
    "answer_characters",
    "prompt_tokens",
    "completion_tokens",
    "finish_reason",
    "refusal",
    "first_byte_ms",
    "latency_ms",
)
TEXTS: Final = ("prompt", "answer")
"""Columns of records with payloads."""


class Budget:
    """Bytes that all requests keep at a time."""

    def __init__(self, most: int = 64 << 20) -> None:
        self.most = most
        self.used = 0

    def take(self, size: int) -> bool:
        """Take bytes; False where there are not as many."""
        if self.used + size > self.most:
            return False
        self.used += size
        return True

    def give(self, size: int) -> None:
        """Give bytes back."""
        self.used -= size


class Body:
    """A body that is kept until it is complete, unless it is too large."""

    def __init__(self, budget: Budget, most: int = BODY) -> None:
        self._budget, self._most = budget, most
        self._parts: list[bytes] = []
        self._size = 0
        self.is_whole = True

    def add(self, chunk: bytes) -> None:
        """Add a chunk."""
        if not self.is_whole or not chunk:
            return
        if self._size + len(chunk) > self._most or not self._budget.take(len(chunk)):
            self.clear()
            self.is_whole = False
            return
        self._parts.append(chunk)
        self._size += len(chunk)

    def read(self) -> bytes | None:
        """Return the body, which is kept no longer; None for one that was too large."""
        body = b"".join(self._parts) if self.is_whole else None
        self.clear()
        return body

    def clear(self) -> None:
        """Keep it no longer."""
        self._budget.give(self._size)
        self._parts, self._size = [], 0


@dataclass(frozen=True)
class Record:
    """What is stored of a request. values: column -> value; None where it is not known. request_id: of the
    gateway."""

    request_id: str
    inference_service: str
    time: datetime
    values: Mapping[str, Any]


class Exchange:
    """A request and its answer. clock: seconds that only rise."""

    def __init__(
        self, logged: Logged, openings: completions.Openings, budget: Budget, clock: Callable[[], float]
    ):
        self._logged, self._openings, self._clock = logged, openings, clock
        self._budget = budget
        self._time, self._start = datetime.now(UTC), clock()
        self._request, self._response = Body(budget), Body(budget)
        self._request_id = ""
        self._prompt: str | None = None
        self._prompt_characters: int | None = None
        self._events: completions.Events | None = None
        self._answer = completions.Answer()
        self._status: int | None = None
        self._first: float | None = None
        self._last: float | None = None
        self._is_encoded = False
        self._has_ended = False
        self._service: Service | None = None
        self.inference_service = ""
        self.is_logged = False

    def request_headers(self, headers: Mapping[str, str], *, is_end: bool) -> None:
        """Read the headers of a request."""
        self.is_logged = headers.get(":method") == "POST" and completions.is_logged(headers.get(":path", ""))
        self._request_id = headers.get("x-request-id", "")[:_ID]
        if is_end:
            self._read_request()

    def request_body(self, chunk: bytes, *, is_end: bool) -> None:
        """Read a part of the request."""
        if self.is_logged:
            self._request.add(chunk)
            if is_end:
                self._read_request()

    def _read_request(self) -> None:
        body = self._request.read()
        text = completions.prompt(body) if body else None
        if text is not None:
            self._prompt_characters = len(text)
            self._prompt = text[:PAYLOAD]

    def response_headers(self, headers: Mapping[str, str], details: str, *, is_end: bool) -> None:
        """Read the headers of the answer. details: what answered, as Envoy states it."""
        status = headers.get(":status", "")
        self._status = int(status) if status.isdigit() else None
        self.inference_service = headers.get(SERVED_BY, "")
        self._service = self._logged.service(self.inference_service)
        # What the gateway itself answers, and services that are not logged.
        self.is_logged = self.is_logged and self._service is not None and details == OF_SERVER
        if self._service is None or not self._service.payloads:
            self._prompt = None
        else:
            self._answer.most = PAYLOAD
        self._is_encoded = headers.get("content-encoding", "identity") not in ("", "identity")
        if "text/event-stream" in headers.get("content-type", "") and not self._is_encoded:
            self._events = completions.Events(BODY)
        if is_end:
            self._end()

    def response_body(self, chunk: bytes, *, is_end: bool) -> None:
        """Read a part of the answer."""
        if not self.is_logged:
            return
        if chunk:
            self._last = self._clock()
            if self._first is None:
                self._first = self._last
        if self._events is not None:
            for content in self._events.add(chunk):
                self._answer.add(content)
        elif not self._is_encoded:
            self._response.add(chunk)
        if is_end:
            self._end()

    def _end(self) -> None:
        self._has_ended, self._last = True, self._clock()
        if self._events is not None:
            contents = self._events.end()
        else:
            contents = [_json(body)] if (body := self._response.read()) else []
        for content in contents:
            self._answer.add(content)

    @property
    def has_ended(self) -> bool:
        """Whether the answer is complete."""
        return self._has_ended

    def finish(self) -> Record | None:
        """Return what is stored, and keep nothing; None for a request that is not logged, or has no
        answer."""
        self._request.clear()
        self._response.clear()
        if not self.is_logged or self._service is None or self._status is None:
            return None
        answer = self._answer
        is_answered = self._status == 200 and (answer.is_read or not self._has_ended)
        values: dict[str, Any] = {
            "status": str(self._status),
            "prompt_characters": self._prompt_characters,
            "latency_ms": self._milliseconds(self._last),
            "first_byte_ms": self._milliseconds(self._first),
        }
        if is_answered:
            values |= {
                # That of an answer which was cut off is not its length.
                "answer_characters": answer.characters if self._has_ended else None,
                "prompt_tokens": answer.prompt_tokens,
                "completion_tokens": answer.completion_tokens,
                "finish_reason": answer.finish_reason if self._has_ended else ABORTED,
                "refusal": answer.refusal(self._openings),
            }
            if self._service.payloads:
                values["answer"] = answer.text()
        if self._service.payloads:
            values["prompt"] = self._prompt
        columns = (*COLUMNS, *(TEXTS if self._service.payloads else ()))
        return Record(
            self._request_id, self.inference_service, self._time, {name: values.get(name) for name in columns}
        )

    def _milliseconds(self, at: float | None) -> int | None:
        return None if at is None else round((at - self._start) * 1000)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
