"""The HTTP side of a cloud's API server: one port of an instance, threads, no delayed packets."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from twin import credential
from twin.instances import Instance, InstanceError

# The server itself speaks of these.
_OURS: Final = frozenset({"content-length", "connection", "transfer-encoding", "date", "server"})


@dataclass(frozen=True)
class Answer:
    """A whole HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the cloud accepted."""
        return self.status < 400


class ApiServer(Protocol):
    """What serves an instance's cloud."""

    @property
    def greeting(self) -> str:
        """One line on what the start found."""
        ...

    def handle(self, environ: dict[str, Any]) -> Answer:
        """A WSGI request."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with no delayed packets. werkzeug closes each connection after its answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    # Headers and body of an answer leave in one packet.
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        """werkzeug answers `Expect: 100-continue` itself."""
        return True

    def run_wsgi(self) -> None:
        """Answer, and discard what is buffered."""
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
            del self.headers["Expect"]
        super().run_wsgi()
        self.wfile.flush()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing for requests that went well."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the state knows."""


def application(api_server: ApiServer) -> Callable[..., Iterable[bytes]]:
    """An API server as a WSGI application."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = api_server.handle(environ)
        reason = "OK" if answer.good else "Error"
        headers = [(name, value) for name, value in answer.headers if name.lower() not in _OURS]
        length = next((v for n, v in answer.headers if n.lower() == "content-length"), None)
        if environ["REQUEST_METHOD"] != "HEAD" or length is None:
            length = str(len(answer.body))
        if answer.status != 204:
            headers.append(("Content-Length", length))
        start_response(f"{answer.status} {reason}", headers)
        return [answer.body] if environ["REQUEST_METHOD"] != "HEAD" else []

    return app


def bind(instance: Instance, handler: type[WSGIRequestHandler] = Handler) -> BaseWSGIServer:
    """A server on the instance's port, not answering yet."""
    server = make_server(
        "127.0.0.1", instance.ports["cloud"], lambda *_: [], threaded=True, request_handler=handler
    )
    server.daemon_threads = True  # pyright: ignore[reportAttributeAccessIssue]
    return server


def serve(
    instance: Instance, make: Callable[[], ApiServer], handler: type[WSGIRequestHandler] = Handler
) -> None:
    """Serve until a signal comes."""
    # The port is bound first: who asks too early waits in the queue and is not refused.
    server = bind(instance, handler)
    # Only who has the port renews it: a second front of the same twin fails above and changes nothing.
    try:
        credential.renew(instance)
        api_server = make()
    except InstanceError as error:
        sys.exit(str(error))
    server.app = application(api_server)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    place = f"{instance.cloud} API server of {instance.name} on {instance.url('cloud')}"
    print(f"{place}: {api_server.greeting}", flush=True)  # noqa: T201
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        api_server.close()
