"""Requests to Google's APIs: endpoints of the variables, pages and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from cli.clients.errors import UncheckedError
from cli.clients.gcp import ApiError, Client


def _operation(name: str, status: str) -> dict[str, Any]:
    link = f"https://www.googleapis.com/compute/v1/operations/{name}"
    return {"name": name, "status": status, "selfLink": link}


OFF = {"error": {"message": "it is off", "details": [{"reason": "SERVICE_DISABLED"}]}}
ANSWERS: dict[str, tuple[int, Any]] = {
    "/compute/v1/projects/p": (200, {"name": "p"}),
    "/compute/v1/items": (200, {"items": [1], "nextPageToken": "2"}),
    "/compute/v1/items?pageToken=2": (200, {"items": [2]}),
    "/compute/v1/off": (403, OFF),
    "/compute/v1/text": (500, "no JSON"),
    "/compute/v1/places": (200, {"items": {"zones/a": {"disks": [1]}, "zones/b": {}}}),
    "/compute/v1/disks/good": (200, _operation("good", "RUNNING")),
    "/compute/v1/operations/good/wait": (200, _operation("good", "DONE")),
    "/compute/v1/disks/used": (200, _operation("used", "RUNNING")),
    "/compute/v1/operations/used/wait": (
        200,
        {
            **_operation("used", "DONE"),
            "httpErrorStatusCode": 400,
            "error": {"errors": [{"message": "it is already being used by 'vm'"}]},
        },
    ),
}


class Handler(BaseHTTPRequestHandler):
    tokens: list[str | None] = []  # noqa: RUF012 - of the one server of a test

    def do_DELETE(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.tokens.append(self.headers.get("Authorization"))
        status, body = ANSWERS.get(self.path, (404, {"error": {"message": "not found"}}))
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(
            "GOOGLE_COMPUTE_CUSTOM_ENDPOINT", f"http://127.0.0.1:{server.server_port}/compute/v1/"
        )
        monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token")
        yield Client("p", local=True)
        server.shutdown()


def test_endpoint_and_token_are_those_of_the_providers_variables(client: Client) -> None:
    assert client.get("compute", "projects/p") == {"name": "p"}
    assert Handler.tokens[-1] == "Bearer token"


def test_pages_follow_each_other(client: Client) -> None:
    assert list(client.pages("compute", "items", "items")) == [1, 2]


def test_errors_keep_status_and_whether_the_api_is_off(client: Client) -> None:
    with pytest.raises(ApiError, match="403: it is off") as raised:
        client.get("compute", "off")
    assert raised.value.is_off
    with pytest.raises(ApiError, match="500"):
        client.get("compute", "text")
    assert client.exists("compute", "projects/p")
    assert not client.exists("compute", "missing")
    assert not client.exists("compute", "off"), "it contains nothing"


def test_api_that_cannot_be_reached_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "http://127.0.0.1:1/compute/v1/")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token")
    with pytest.raises(UncheckedError, match="compute: "):
        Client("p", local=True).get("compute", "projects/p")


def test_entries_of_all_places_are_returned(client: Client) -> None:
    assert list(client.pages("compute", "places", "items")) == [{"disks": [1]}, {}]


def test_deletion_ends_with_its_operation(client: Client) -> None:
    client.delete("compute", "disks/good")
    with pytest.raises(ApiError, match="400: it is already being used by 'vm'"):
        client.delete("compute", "disks/used")
    with pytest.raises(ApiError, match="404"):
        client.delete("compute", "disks/missing")
