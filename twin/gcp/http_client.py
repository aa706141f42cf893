"""HTTP to Google's APIs, as the provider's own client does it: bearer token, retries, errors in its words."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from twin.provider_interface import Props, Unreachable, pause

INTENT_HEADER: Final = "X-Twin-Intent"
ATTEMPTS: Final = 8
"""How often a call is tried that Google answers with 429, 500, 502 or 503."""
_TIMEOUT: Final = 120.0
_PASSING: Final = frozenset({429, 500, 502, 503})
_LONGEST: Final = 8.0


class Refusal(Exception):  # noqa: N818 - Google refuses; nothing broke
    """What Google answered instead of doing it.

    code: the HTTP status. status: the canonical code (`ALREADY_EXISTS`), where the API says it. reason:
    `errors[0].reason` (`alreadyExists`), where it does. details: typed details.
    """

    def __init__(
        self, code: int, message: str, *, status: str = "", reason: str = "", details: tuple[Props, ...] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.reason = reason
        self.details = details

    @property
    def words(self) -> str:
        """As Google's Go client prints it, and the provider with it."""
        text = f"googleapi: Error {self.code}: {self.message}"
        if self.details:
            text += f"\nDetails:\n{json.dumps(list(self.details), indent=2)}"
        return f"{text}, {self.reason}" if self.reason else text


@dataclass
class Transport:
    """Connections to the endpoints, one a thread and a host.

    token: the bearer token. attempts: how often what may pass is tried.
    """

    token: str
    attempts: int = ATTEMPTS
    _local: threading.local = field(default_factory=threading.local, repr=False)

    def request(
        self,
        verb: str,
        url: str,
        query: Mapping[str, Any],
        body: Any,
        *,
        intent: str = "",
        content_type: str = "application/json",
    ) -> Props:
        """The answer's JSON. body: of any JSON, or text of another type. Raises Refusal and Unreachable."""
        parts = urlsplit(url)
        query_text = urlencode({key: _text(value) for key, value in sorted(query.items())}, doseq=True)
        target = f"{parts.path}?{query_text}" if query_text else parts.path
        plain = isinstance(body, str) and content_type != "application/json"
        text = body if plain or body is None else json.dumps(body, sort_keys=True)
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if text is not None:
            headers["Content-Type"] = content_type
        if intent and verb != "GET":
            headers[INTENT_HEADER] = intent
        wait = 0.25
        for attempt in range(1, self.attempts + 1):
            status, answer = self._send(parts.scheme, parts.netloc, verb, target, text, headers)
            if status not in _PASSING or attempt == self.attempts:
                return _read(status, answer)
            pause(wait)
            wait = min(wait * 2, _LONGEST)
        raise AssertionError("unreachable")  # pragma: no cover - the loop ends by a return

    def _send(
        self, scheme: str, host: str, verb: str, target: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        connections: dict[str, http.client.HTTPConnection] = self._local.__dict__.setdefault("kept", {})
        connection = connections.pop(host, None)
        fresh = connection is None
        connection = connection or _connect(scheme, host)
        try:
            connection.request(verb, target, body=body, headers=headers)
            answer = connection.getresponse()
            status, answered = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if not fresh and isinstance(error, http.client.RemoteDisconnected | BrokenPipeError):
                # The other side closed a connection that lay idle: nothing was executed.
                return self._send(scheme, host, verb, target, body, headers)
            raise Unreachable(f"{verb} {scheme}://{host}{target}: {error or type(error).__name__}") from error
        if answer.will_close:
            connection.close()
        else:
            connections[host] = connection
        return status, answered


def _connect(scheme: str, host: str) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return kind(host, timeout=_TIMEOUT)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return [_text(item) for item in value] if isinstance(value, (list, tuple)) else str(value)


def _read(status: int, answer: bytes) -> Props:
    try:
        answered = json.loads(answer) if answer.strip() else {}
    except ValueError:
        answered = {}
    if status < http.client.BAD_REQUEST:
        return answered if isinstance(answered, dict) else {"value": answered}
    error = answered.get("error") if isinstance(answered, dict) else None
    if not isinstance(error, dict):
        raise Refusal(status, answer.decode(errors="replace")[:2000] or f"got HTTP response code {status}")
    errors = error.get("errors") or [{}]
    raise Refusal(
        int(error.get("code") or status),
        str(error.get("message", "")),
        status=str(error.get("status", "")),
        reason=str(errors[0].get("reason", "")),
        details=tuple(error.get("details") or ()),
    )


@contextmanager
def absence_allowed() -> Iterator[None]:
    """Pass over a refusal that states that the resource is not there."""
    try:
        yield
    except Refusal as error:
        if error.code != http.client.NOT_FOUND:
            raise
