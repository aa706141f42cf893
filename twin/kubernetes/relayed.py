"""HTTP requests of the API server, as handlers of http.server take them. Nothing of a request is logged."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any


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
