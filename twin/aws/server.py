"""The AWS front of a world: `python -m twin.aws.server --world NAME`.

One HTTP port for every AWS SDK: moto behind a journal, rules that refuse what AWS refuses, an EKS of our
own, and `/_twin/...` for what the API has no word for (health, inventory, faults, the controller's view).
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from twin import world as worlds
from twin.aws.call import Answer

LOG = logging.getLogger(__name__)


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with no delayed packets, and connections that serve many requests.

    werkzeug closes each connection after its answer: it cannot tell whether the request was read to its end.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    # Headers and body of an answer leave in one packet.
    wbufsize = -1

    def make_environ(self) -> dict[str, Any]:
        """werkzeug drops headers with an underscore; S3 metadata keys may hold one."""
        from moto.core.request import environ_key_for_header, should_preserve_original_header_name

        environ = super().make_environ()
        kept = {
            environ_key_for_header(name): name
            for name in self.headers
            if should_preserve_original_header_name(name)
        }
        for key, name in kept.items():
            environ[key] = ",".join(self.headers.get_all(name, []))
        environ["moto.preserved_header_names"] = kept
        return environ

    def handle_expect_100(self) -> bool:
        """werkzeug answers `Expect: 100-continue` itself."""
        return True

    def run_wsgi(self) -> None:
        """Answer, and keep the connection for the next request where the whole of this one was read."""
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
            del self.headers["Expect"]
        environ = self.make_environ()
        asked = _Asked(environ)
        told: list[Any] = []
        start: Any = lambda status, headers: told.extend((status, headers))  # noqa: E731
        try:
            body = b"".join(self.server.app(environ, start))
        except Exception:
            LOG.exception("%s %s cannot be answered", self.command, self.path)
            told, body = ["500 Error", [("Content-Length", "0")]], b""
            self.close_connection = True
        code, _, reason = told[0].partition(" ")
        self.send_response(int(code), reason)
        for name, value in told[1]:
            self.send_header(name, value)
        if not asked.whole:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing for requests that went well."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the journal knows."""


class _Asked:
    """What of a request's body has been read: what is left would be taken for the next request."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._stream = environ["wsgi.input"]
        self._terminated = bool(environ.get("wsgi.input_terminated"))
        self._left = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = self

    @property
    def whole(self) -> bool:
        """Whether all of it was read."""
        return self._left <= 0 and not self._terminated

    def read(self, size: int = -1) -> bytes:
        """At most that many bytes; by default all that there is."""
        if self._terminated:
            read: bytes = self._stream.read(size)
            self._terminated = size >= 0
            return read
        wanted = self._left if size < 0 else min(size, self._left)
        read = self._stream.read(wanted) if wanted else b""
        self._left -= len(read)
        return read


def application(front: Any) -> Callable[..., Iterable[bytes]]:
    """A front as a WSGI application."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Answer = front.handle(environ)
        reason = "OK" if answer.good else "Error"
        headers = [(name, value) for name, value in answer.headers if name.lower() not in _OURS]
        length = next((v for n, v in answer.headers if n.lower() == "content-length"), None)
        if environ["REQUEST_METHOD"] != "HEAD" or length is None:
            length = str(len(answer.body))
        bare = answer.status in (204, 304)  # they end with their headers, whatever moto gave
        if not bare:
            headers.append(("Content-Length", length))
        start_response(f"{answer.status} {reason}", headers)
        return [] if bare or environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    return app


_OURS = frozenset({"content-length", "connection", "transfer-encoding", "date", "server"})


def serve(world: worlds.World) -> None:
    """Serve until a signal comes."""
    # The port is bound first: who asks too early waits in the queue and is not refused.
    server = bind(world)
    from twin.aws.front import Front

    front = Front(world)
    server.app = application(front)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"aws front of {world.name} on {world.url('cloud')}: {front.greeting}", flush=True)  # noqa: T201
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        front.close()


def bind(world: worlds.World) -> BaseWSGIServer:
    """A server on the world's port, not answering yet."""
    server = make_server(
        "127.0.0.1", world.ports["cloud"], lambda *_: [], threaded=True, request_handler=Handler
    )
    server.daemon_threads = True  # pyright: ignore[reportAttributeAccessIssue]
    return server


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m twin.aws.server", description=__doc__)
    parser.add_argument("--world", required=True, help="the name of the world to serve")
    name = parser.parse_args(arguments).world
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings must be the same in every life of the server.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "twin.aws.server", *sys.argv[1:]])  # noqa: S606
    world = worlds.load(name)
    if world is None:
        sys.exit(f"there is no twin named {name!r}; `aiplatform twin start --name {name}` makes it")
    serve(world)


if __name__ == "__main__":
    main()
