"""The API server's token webhook."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from twin.kubernetes.view import Principal
from twin.kubernetes.webhook import Webhook, answer

ALICE = Principal("arn:aws:sts::123456789012:assumed-role/admin/alice", ["admins"], "uid-1", {"arn": ["x"]})


def authenticate(token: str) -> Principal | None:
    if token == "broken":
        raise ConnectionError("the cloud is away")
    return ALICE if token == "good" else None


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = Webhook(0, authenticate)
    server.start()
    yield server.port
    server.stop()


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body if isinstance(body, str | None) else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def review(token: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token, **spec}}


def test_a_known_token_is_answered_with_its_user(port: int) -> None:
    status, text = ask(port, "POST", "/authenticate?timeout=30s", review("good", audiences=["eks"]))
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


def test_a_cloud_that_is_away_makes_the_api_server_try_again(port: int) -> None:
    status, text = ask(port, "POST", "/authenticate", review("broken"))
    assert status == 500
    assert "away" not in text, "what went wrong is for the log"


def test_what_is_no_review_is_refused(port: int) -> None:
    assert ask(port, "POST", "/authenticate", "{")[0] == 400
    assert ask(port, "POST", "/authenticate", {"kind": "Pod"})[0] == 400
    assert ask(port, "POST", "/elsewhere", {})[0] == 404


def test_health_is_said(port: int) -> None:
    assert ask(port, "GET", "/healthz") == (200, "ok")
    assert ask(port, "GET", "/")[0] == 404
