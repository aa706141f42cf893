"""The API server's token webhook: who a bearer token of the cloud's is (TokenReview v1).

The API server reaches it through the relay (twin.kubernetes.egress), whose socket is the owner's alone. The
port, which every user of the machine reaches, answers GET /healthz and nothing else.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable
from http.server import HTTPServer
from typing import Any

from twin.kubernetes.cloud_interface import Principal
from twin.kubernetes.relayed import Background, Requests

log = logging.getLogger(__name__)

Authenticate = Callable[[str], Principal | None]


def answer(review: Any, authenticate: Authenticate) -> dict[str, Any]:
    """The TokenReview with its status. Raises ValueError for what is no TokenReview."""
    if not isinstance(review, dict) or review.get("kind") != "TokenReview":
        raise ValueError("a TokenReview is wanted")
    spec = review.get("spec") or {}
    principal = authenticate(str(spec.get("token") or ""))
    status: dict[str, Any] = {"authenticated": False}
    if principal is not None:
        status = {
            "authenticated": True,
            "user": {
                "username": principal.username,
                "uid": principal.uid,
                "groups": list(principal.groups),
                "extra": {key: list(values) for key, values in principal.extra.items()},
            },
        }
        if spec.get("audiences"):
            status["audiences"] = spec["audiences"]
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}


class Webhook:
    """The server, on a separate thread.

    authenticate: answers a token; an exception of its makes the API server try again a little later.
    """

    def __init__(self, port: int, authenticate: Authenticate) -> None:
        self._reviews = type("Reviews", (_Reviews,), {"authenticate": staticmethod(authenticate)})
        self._server = _Server(("127.0.0.1", port), _Health)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_address[1]

    def start(self) -> None:
        """Begin to answer."""
        self._server.start("webhook")

    def serve(self, connection: socket.socket) -> None:
        """Answer the reviews that the API server sends on a connection of the relay's, until it ends."""
        self._reviews(connection, ("relay", 0), self._server)

    def stop(self) -> None:
        """Stop answering, and give the port back."""
        self._server.stop()


class _Server(Background, HTTPServer):
    """Of the port."""


class _Health(Requests):
    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.say(200, b"ok", "text/plain")
        else:
            self.say(404, b"not found", "text/plain")


class _Reviews(_Health):
    authenticate: Authenticate

    def do_POST(self) -> None:
        if self.path.partition("?")[0] != "/authenticate":
            self.say(404, b"not found", "text/plain")
            return
        try:
            body = json.dumps(answer(json.loads(self.body()), self.authenticate)).encode()
        except ValueError as error:
            self.say(400, str(error).encode(), "text/plain")
        except Exception as error:  # noqa: BLE001 - whatever the view met, the API server must get an answer
            log.warning("a token could not be looked up: %s", error)
            self.say(500, b"the cloud does not answer", "text/plain")
        else:
            self.say(200, body, "application/json")
