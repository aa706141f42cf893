"""An HTTP proxy into the cluster, for programs whose connections cannot be changed otherwise.

A request for `http://ADDRESS:PORT/path`, and `CONNECT ADDRESS:PORT`, go where the relay of the API server's
connections would connect to (`twin.kubernetes.egress`): a Pod or Service of the twin, and nothing else.
"""

from __future__ import annotations

import logging
import socket
import threading
from http.client import HTTPConnection
from http.server import HTTPServer
from typing import Final
from urllib.parse import urlsplit

from twin.kubernetes.egress import NoBackendError, Resolve, Serve
from twin.kubernetes.relayed import Background, Requests

log = logging.getLogger(__name__)

_SECONDS: Final = 30.0
_HOP_BY_HOP: Final = frozenset(
    ("connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "upgrade")
)


class Proxy(Background, HTTPServer):
    """The proxy, on loopback. resolve: answers an address of the cluster."""

    def __init__(self, resolve: Resolve) -> None:
        super().__init__(("127.0.0.1", 0), type("Handler", (_Handler,), {"resolve": staticmethod(resolve)}))

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.server_port}"


class _Served(HTTPConnection):
    """A connection that is served in this process."""

    def __init__(self, host: str, port: int, serve: Serve) -> None:
        super().__init__(host, port, timeout=_SECONDS)
        self._serve = serve

    def connect(self) -> None:
        self.sock, other = socket.socketpair()
        self.sock.settimeout(_SECONDS)
        threading.Thread(target=_served, args=(self._serve, other), name="proxied", daemon=True).start()


class _Handler(Requests):
    resolve: Resolve
    timeout = 300

    def do_CONNECT(self) -> None:
        serve = self._backend(f"//{self.path}")
        self.close_connection = True
        if serve is not None:
            self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.connection.settimeout(None)
            try:
                serve(self.connection)
            except OSError as error:
                log.info("%s: %s", self.path, error)

    def do_GET(self) -> None:
        serve = self._backend(self.path)
        if serve is None:
            return
        length = int(self.headers.get("Content-Length") or 0)
        url = urlsplit(self.path)
        path = url.path or "/"
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        backend = _Served(url.hostname or "", url.port or 80, serve)
        try:
            backend.request(
                self.command,
                f"{path}?{url.query}" if url.query else path,
                self.rfile.read(length) if length else None,
                {**headers, "Connection": "close"},
            )
            answer = backend.getresponse()
            body = answer.read()
        except OSError as error:
            self._refuse(502, str(error))
            return
        finally:
            backend.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP | {"content-length", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def _backend(self, url: str) -> Serve | None:
        """Return what serves an address; None, with an answer, where nothing does."""
        try:
            address = urlsplit(url)
            return self.resolve(address.hostname or "", address.port or 80)
        except ValueError as error:
            self._refuse(400, str(error))
        except NoBackendError as error:
            self._refuse(503, str(error))
        except Exception as error:  # noqa: BLE001 - whatever the look-up met, nothing may be dialled
            self._refuse(503, f"the twin cannot look up what was called: {type(error).__name__}")
        return None

    def _refuse(self, status: int, reason: str) -> None:
        line = " ".join(reason.encode("ascii", "replace").decode().split())
        self.close_connection = True
        self.send_response_only(status, line)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()


def _served(serve: Serve, client: socket.socket) -> None:
    """Serve a connection, and close it: what asked for it waits for its end."""
    with client:
        try:
            serve(client)
        except OSError as error:
            log.info("a proxied connection broke: %s", error)
