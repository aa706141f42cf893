"""Port forwarding over SPDY, with the frames that a client sends."""

from __future__ import annotations

import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from twin.kubernetes.processes.port_forward import DICTIONARY, Session


class Plain(socket.socket):
    """A connection without TLS, for which nothing waits decrypted."""

    def pending(self) -> int:
        return 0


class Client:
    """The other end: it opens streams and reads frames."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._pack = zlib.compressobj(zdict=DICTIONARY)
        self.stream = connection.makefile("rb")

    def control(self, kind: int, body: bytes) -> None:
        self.connection.sendall(struct.pack(">II", 1 << 31 | 3 << 16 | kind, len(body)) + body)

    def data(self, stream: int, data: bytes, *, end: bool = False) -> None:
        self.connection.sendall(struct.pack(">II", stream, end << 24 | len(data)) + data)

    def open(self, stream: int, kind: str, port: int, request: int = 0) -> None:
        headers = {"Streamtype": kind, "Port": str(port), "Requestid": str(request)}
        block = struct.pack(">I", len(headers))
        for text in (text for pair in headers.items() for text in pair):
            block += struct.pack(">I", len(text)) + text.encode()
        packed = self._pack.compress(block) + self._pack.flush(zlib.Z_SYNC_FLUSH)
        self.control(1, struct.pack(">IIH", stream, 0, 0) + packed)
        assert self.frame()[:2] == ("reply", stream), "a client waits for the reply to each stream"

    def frame(self) -> tuple[str, int, bytes, bool]:
        """Return kind, stream, data and whether the stream ends."""
        head, size = struct.unpack(">II", self.stream.read(8))
        body = self.stream.read(size & 0xFFFFFF)
        if head >> 31:
            kind = {2: "reply", 6: "ping"}[head & 0xFFFF]
            return kind, struct.unpack(">I", body[:4])[0], body[4:], False
        return "data", head, body, bool(size >> 24)


@pytest.fixture
def server() -> Iterator[int]:
    """A server that answers each connection with what it got, in upper case. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(connection: socket.socket) -> None:
            with connection:
                while data := connection.recv(1024):
                    connection.sendall(data.upper())

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.fixture
def client() -> Iterator[Client]:
    ours, theirs = socket.socketpair()
    served: Any = Plain(fileno=theirs.detach())
    connect = lambda port: socket.create_connection(("127.0.0.1", port), 5)  # noqa: E731
    thread = threading.Thread(target=Session(served, connect).run, daemon=True)
    thread.start()
    ours.settimeout(10)
    with ours:
        client = Client(ours)
        yield client
        client.stream.close()
    thread.join(5)
    assert not thread.is_alive(), "a session ends with its client"


def test_several_connections_are_forwarded_over_one(client: Client, server: int) -> None:
    for number in (0, 1):
        client.open(1 + 4 * number, "error", server, number)
        client.open(3 + 4 * number, "data", server, number)
    client.data(7, b"second")
    assert client.frame() == ("data", 7, b"SECOND", False)
    client.data(3, b"first", end=True)
    assert client.frame() == ("data", 3, b"FIRST", False)
    ends = {client.frame()[1:], client.frame()[1:]}
    assert ends == {(3, b"", True), (1, b"", True)}, "the error stream ends without a text"
    client.data(7, b"still")
    assert client.frame() == ("data", 7, b"STILL", False)


def test_a_port_without_a_listener_is_reported_on_the_error_stream(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    client.open(1, "error", port)
    client.open(3, "data", port)
    kind, stream, text, _ = client.frame()
    assert (kind, stream) == ("data", 1)
    assert f"port {port}".encode() in text
    assert {client.frame()[1], client.frame()[1]} == {1, 3}


def test_a_ping_is_answered_and_a_reset_closes_one_connection_only(client: Client, server: int) -> None:
    client.control(6, struct.pack(">I", 9))
    assert client.frame()[:2] == ("ping", 9)
    for number in (0, 1):
        client.open(1 + 4 * number, "error", server, number)
        client.open(3 + 4 * number, "data", server, number)
    client.control(3, struct.pack(">II", 3, 5))
    client.data(3, b"late")
    client.data(7, b"other")
    assert client.frame() == ("data", 7, b"OTHER", False)
    client.control(7, struct.pack(">II", 7, 0))
