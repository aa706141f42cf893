"""The API server's token webhook."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from twin.kubernetes.cloud_interface import Principal
from twin.kubernetes.webhook import Webhook, answer

ALICE = Principal("arn:aws:sts::123456789012:assumed-role/admin/alice", ["admins"], "uid-1", {"arn": ["x"]})


def authenticate(token: str) -> Principal | None:
    if token == "broken":
        raise ConnectionError("the cloud is away")
    return ALICE if token == "good" else None


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    server = Webhook(0, authenticate)
    server.start()
    yield server
    server.stop()


class Relayed(http.client.HTTPConnection):
    """A connection as the API server has it: handed to the webhook by the relay."""

    def __init__(self, webhook: Webhook) -> None:
        super().__init__("token-webhook.twin.invalid", timeout=5)
        self._webhook = webhook

    def connect(self) -> None:
        """Hand one end over."""
        self.sock, other = socket.socketpair()
        threading.Thread(target=self._serve, args=(other,), daemon=True).start()

    def _serve(self, other: socket.socket) -> None:
        with other:
            self._webhook.serve(other)


def ask(webhook: Webhook, method: str, path: str, body: Any = None) -> tuple[int, str]:
    return _answer(Relayed(webhook), method, path, body)


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None
) -> tuple[int, str]:
    try:
        connection.request(method, path, body if isinstance(body, str | None) else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def review(token: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token, **spec}}


def test_a_known_token_is_answered_with_its_user(webhook: Webhook) -> None:
    status, text = ask(webhook, "POST", "/authenticate?timeout=30s", review("good", audiences=["eks"]))
    assert status == 200
    assert json.loads(text)["status"] == {
        "authenticated": True,
        "user": {
            "username": ALICE.username,
            "uid": "uid-1",
            "groups": ["admins"],
            "extra": {"arn": ["x"]},
        },
        "audiences": ["eks"],
    }


def test_an_unknown_token_gets_in_nowhere() -> None:
    assert answer(review("bad"), authenticate)["status"] == {"authenticated": False}


def test_a_cloud_that_is_away_makes_the_api_server_try_again(webhook: Webhook) -> None:
    status, text = ask(webhook, "POST", "/authenticate", review("broken"))
    assert status == 500
    assert "away" not in text, "what went wrong is for the log"


def test_what_is_no_review_is_refused(webhook: Webhook) -> None:
    assert ask(webhook, "POST", "/authenticate", "{")[0] == 400
    assert ask(webhook, "POST", "/authenticate", {"kind": "Pod"})[0] == 400
    assert ask(webhook, "POST", "/elsewhere", None)[0] == 404


def test_health_is_said(webhook: Webhook) -> None:
    assert ask(webhook, "GET", "/healthz") == (200, "ok")
    assert ask(webhook, "GET", "/")[0] == 404


def test_the_port_that_every_user_reaches_answers_the_health_alone(webhook: Webhook) -> None:
    def on_port(method: str, path: str, body: Any = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", webhook.port, timeout=5)
        return _answer(connection, method, path, body)[0]

    assert on_port("GET", "/healthz") == 200
    assert on_port("POST", "/authenticate", review("good")) == 501, (
        "only the API server gets the user of a token"
    )
    assert on_port("GET", "/authenticate") == 404
