"""Where the API server's own connections go: to what the twin runs, and nowhere else.

kube-apiserver calls webhooks and aggregated APIs at the ClusterIP of their Service, kubelets at the address
of their Node, and other webhooks at their URL: addresses of the machine's real network, where a stranger may
answer. An egress selector (settings/egress.yaml) makes it ask a relay for each such connection, by
`CONNECT address:port` on a unix socket in the twin's folder. The relay connects what has a backend in the
twin, and refuses everything else at once, with the reason in the error that the API server reports.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import socketserver
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from twin.kubernetes.relayed import Background

log = logging.getLogger(__name__)

SOCKET: Final = "run/egress.sock"
"""In the twin's folder, the working directory of the API server: a path of a unix socket holds 107 bytes."""
TOKEN_WEBHOOK: Final = ("token-webhook.twin.invalid", 80)
"""Where the API server asks who a token is. No resolver knows the name; the relay has a backend for it."""
_HEAD_BYTES: Final = 8192
_HEAD_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 5.0
_CHUNK: Final = 65536

Serve = Callable[[socket.socket], None]
Resolve = Callable[[str, int], Serve]
"""Answers an address with what serves a connection to it. Raises NoBackendError."""


class NoBackendError(Exception):
    """Nothing in the twin answers at an address; the text names what was called."""


def to_loopback(port: int, host: str = "127.0.0.1") -> Serve:
    """Serve a connection by a process of the twin that listens on a port of loopback."""

    def serve(client: socket.socket) -> None:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as backend:
            backend.settimeout(None)
            _copy(client, backend)

    return serve


class Relay:
    """The relay, on separate threads. path: of its socket, which has mode 0600."""

    def __init__(self, path: Path, resolve: Resolve) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)  # what a killed one left
        handler = type("Handler", (_Handler,), {"resolve": staticmethod(resolve)})
        before = os.umask(0o177)
        try:
            self._server = _Server(_shortest(path), handler)
        finally:
            os.umask(before)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)

    def start(self) -> None:
        """Begin to answer."""
        self._server.start("egress")

    def stop(self) -> None:
        """Stop answering. The socket's file stays: until the next relay, a call is refused at once."""
        self._server.stop()

    def close(self) -> None:
        """Release the socket of a relay that was never started."""
        self._server.server_close()


class _Server(Background, socketserver.UnixStreamServer):
    # A Unix socket refuses what exceeds its queue at once: Python's default is 5 connections, and an update
    # calls more webhooks at the same time.
    request_queue_size = 128


class _Handler(socketserver.BaseRequestHandler):
    resolve: Resolve

    def handle(self) -> None:
        client: socket.socket = self.request
        client.settimeout(_HEAD_SECONDS)
        try:
            host, port = _address(_head(client))
            serve = self.resolve(host, port)
        except ValueError as error:
            _refuse(client, 400, str(error))
        except NoBackendError as error:
            log.info("refused: %s", error)
            _refuse(client, 503, str(error))
        except Exception as error:  # noqa: BLE001 - whatever the look-up met, nothing may be dialled
            log.warning("refused, as it could not be looked up: %s", error)
            _refuse(client, 503, f"the twin cannot look up what was called: {type(error).__name__}")
        else:
            client.settimeout(None)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            serve(client)


def _head(client: socket.socket) -> str:
    """The request up to its empty line. Raises ValueError where there is none."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = client.recv(1)  # no byte of what follows, which belongs to the backend
        if not more or len(head) >= _HEAD_BYTES:
            raise ValueError("expected a CONNECT request")
        head += more
    return head.decode("latin-1")


def _address(head: str) -> tuple[str, int]:
    words = head.partition("\r\n")[0].split(" ")
    if len(words) != 3 or words[0] != "CONNECT":
        raise ValueError("expected CONNECT host:port HTTP/1.1")
    host, colon, port = words[1].rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"{words[1]}: expected host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _refuse(client: socket.socket, status: int, reason: str) -> None:
    # The API server's error quotes the status line, and nothing of a body.
    line = " ".join(reason.encode("ascii", "replace").decode().split())
    client.sendall(f"HTTP/1.1 {status} {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())


def _copy(one: socket.socket, other: socket.socket) -> None:
    """Copy both ways until both sides have ended."""
    peer = {one: other, other: one}
    with selectors.DefaultSelector() as ready:
        for connection in peer:
            ready.register(connection, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                source: Any = key.fileobj
                data = source.recv(_CHUNK)
                if data:
                    peer[source].sendall(data)
                    continue
                ready.unregister(source)
                peer[source].shutdown(socket.SHUT_WR)


def _shortest(path: Path) -> str:
    """The path as it is, or as seen from here: the kernel takes 107 bytes."""
    return min(str(path), os.path.relpath(path), key=len)
