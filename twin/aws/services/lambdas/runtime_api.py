"""Lambda's Runtime API for one invocation, by which the program of an image gets its event and answers.

"Using the Lambda runtime API for custom runtimes" in Lambda's Developer Guide has the routes.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_VERSION: Final = "/2018-06-01/runtime"


class Invocation:
    """An invocation that a process fetches and answers. timeout: seconds. arn: of the function's version."""

    def __init__(self, request: str, event: bytes, arn: str, timeout: float) -> None:
        self.request, self.event, self.arn = request, event, arn
        self.deadline = int((time.time() + timeout) * 1000)
        self.payload: bytes | None = None
        """What the program answered; None before."""
        self.failed = False
        self.fetched = threading.Event()
        self.ended = threading.Event()

    def answer(self, path: str, body: bytes) -> bool:
        """Take an answer or an error; whether the path is one of them."""
        of_request = f"{_VERSION}/invocation/{self.request}"
        if path not in (f"{of_request}/response", f"{of_request}/error", f"{_VERSION}/init/error"):
            return False
        if self.payload is None:
            self.payload, self.failed = body, path.endswith("/error")
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    invocation: Invocation

    def do_GET(self) -> None:
        """Answer with the event once. The next one never comes: Lambda freezes the program there."""
        if self.path != f"{_VERSION}/invocation/next":
            self._send(404, b'{"errorType": "ResourceNotFound"}')
            return
        invocation = self.invocation
        if invocation.fetched.is_set():
            invocation.ended.wait()
            self.close_connection = True
            return
        invocation.fetched.set()
        self._send(
            200,
            invocation.event or b"null",
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            },
        )

    def do_POST(self) -> None:
        """Take what the program answers."""
        body = self._body()
        if self.invocation.answer(self.path, body):
            self._send(202, json.dumps({"status": "OK"}).encode())
        else:
            self._send(404, b'{"errorType": "InvalidRequestID"}')

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def served(invocation: Invocation) -> Iterator[str]:
    """Serve an invocation on loopback; yield the value of AWS_LAMBDA_RUNTIME_API."""
    handler = type("Handler", (_Handler,), {"invocation": invocation})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        invocation.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
