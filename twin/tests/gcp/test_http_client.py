"""Calls to Google: tried again while it passes, refusals in the words of Google's client, no answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.gcp import http_client
from twin.gcp.http_client import Refusal, Transport
from twin.provider_interface import Unreachable


class Answering(Transport):
    """A transport that answers what it is transport, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        super().__init__("ya29.token", attempts=3)
        self.answers = list(answers)
        self.requests: list[tuple[str, str, str | None, dict[str, str]]] = []

    def _send(
        self, scheme: str, host: str, verb: str, target: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self.requests.append((verb, target, body, headers))
        status, answer = self.answers.pop(0)
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "pause", lambda _: None)


def refusal(*answers: tuple[int, Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        Answering(*answers).request("GET", "http://front/compute/v1/x", {}, None)
    return caught.value


def test_a_call_carries_token_query_body_and_intent() -> None:
    transport = Answering((200, {"name": "op"}))
    query = {"force": True, "updateMask": "a,b", "skip": 3}
    assert transport.request("PATCH", "http://front/v1/x", query, {"b": 1, "a": 2}, intent="i") == {
        "name": "op"
    }
    verb, target, body, headers = transport.requests[0]
    assert (verb, target, body) == ("PATCH", "/v1/x?force=true&skip=3&updateMask=a%2Cb", '{"a": 2, "b": 1}')
    assert headers["Authorization"] == "Bearer ya29.token"
    assert headers[http_client.INTENT_HEADER] == "i"


def test_a_read_carries_no_intent() -> None:
    transport = Answering((200, b""))
    assert transport.request("GET", "http://front/v1/x", {}, None, intent="i") == {}
    assert http_client.INTENT_HEADER not in transport.requests[0][3]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_passes_is_tried_again(status: int) -> None:
    transport = Answering((status, {}), (status, {}), (200, {"name": "x"}))
    assert transport.request("GET", "http://front/v1/x", {}, None) == {"name": "x"}
    assert refusal(*[(status, {"error": {"code": status, "message": "later"}})] * 3).code == status


def test_refusals_read_as_googles_client_prints_them() -> None:
    error = {"code": 409, "message": "It exists", "errors": [{"reason": "alreadyExists"}]}
    assert refusal((409, {"error": error})).words == "googleapi: Error 409: It exists, alreadyExists"
    error = {"code": 403, "message": "Off", "status": "PERMISSION_DENIED", "details": [{"reason": "X"}]}
    error_message = refusal((403, {"error": error}))
    assert error_message.status == "PERMISSION_DENIED"
    assert error_message.words.startswith("googleapi: Error 403: Off\nDetails:")
    assert refusal((404, b"<html>not here</html>")).message == "<html>not here</html>"


def test_no_answer_is_no_refusal() -> None:
    with pytest.raises(Unreachable, match=r"GET http://127\.0\.0\.1:1/v1/x"):
        Transport("t", attempts=1).request("GET", "http://127.0.0.1:1/v1/x", {}, None)
