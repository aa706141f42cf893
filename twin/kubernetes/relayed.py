"""Servers on threads of the controller, and requests of the API server as handlers of http.server take them.
Nothing of a request is logged."""

from __future__ import annotations

import logging
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.05
"""How soon a server's thread sees that it is stopped."""


class Background(socketserver.ThreadingMixIn):
    """A server on a separate thread, which ends with the process."""

    daemon_threads = True
    block_on_close = False

    def start(self: Any, name: str = "server") -> None:
        """Begin to answer. name: of the thread."""
        threading.Thread(target=self.serve_forever, args=(POLL_SECONDS,), name=name, daemon=True).start()

    def stop(self: Any) -> None:
        """Stop answering, and give the address back."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that gave up or was killed resets its connection: a line, and no traceback."""
        log.info("a connection broke: %s", sys.exc_info()[1])


class Requests(BaseHTTPRequestHandler):
    """A connection of the API server. longest: bytes of a body that are read; a token of
    `aws eks get-token` has about two thousand."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    longest = 1 << 20

    def say(self, status: int, body: bytes, kind: str) -> None:
        """Answer the request. kind: the body's media type."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status >= 400:
            # What is left of an unread body must not be taken for the next request.
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        """Return the request's body. Raises ValueError for an empty one and for one that is too long."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= self.longest:
            raise ValueError(f"a body of {length} bytes; 1 to {self.longest} are taken")
        return self.rfile.read(length)

    def log_message(self, format: str, *args: Any) -> None:
        """Tokens and Secrets are in requests, so nothing of one is logged."""
