"""Port forwarding as a kubelet serves it: streams of SPDY/3.1 on one connection, two for each forwarded one.

`kubectl port-forward` opens a stream for data and one for an error, with the same requestID. SPDY is written
down in "SPDY Protocol - Draft 3.1".
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

PROTOCOL: Final = "portforward.k8s.io"
UPGRADE: Final = "SPDY/3.1"
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY, _HEADERS = 1, 2, 3, 6, 7, 8
_VERSION: Final = 3
_FIN: Final = 1
_CHUNK: Final = 32 * 1024
_NAMES, _, _TEXT = Path(__file__).with_name("spdy_headers.txt").read_text("ascii").partition("\n\n")
DICTIONARY: Final = (
    b"".join(struct.pack(">I", len(name)) + name.encode() for name in _NAMES.split("\n")) + _TEXT.encode()
)
"""What both sides preset their compression of headers with: names with their lengths, then frequent text."""

Connect = Callable[[int], socket.socket]


@dataclass
class _Forward:
    """One forwarded connection: its two streams, and the socket of the process."""

    streams: dict[str, int] = field(default_factory=dict[str, int])
    backend: socket.socket | None = None


class Session:
    """All connections that one `kubectl port-forward` makes, on the caller's thread.

    client: the upgraded connection. connect: opens a connection to a port of the Pod, or raises OSError.
    """

    def __init__(self, client: ssl.SSLSocket, connect: Connect) -> None:
        self._client = client
        self._connect = connect
        self._forwards: dict[str, _Forward] = {}
        self._by_stream: dict[int, _Forward] = {}
        self._unpack = zlib.decompressobj(zdict=DICTIONARY)
        self._pack = zlib.compressobj(zdict=DICTIONARY)
        self._ready = selectors.DefaultSelector()
        self._buffer = b""

    def run(self) -> None:
        """Until the client ends the connection."""
        self._ready.register(self._client, selectors.EVENT_READ)
        try:
            while self._round():
                pass
        except (OSError, ValueError, zlib.error, struct.error) as error:
            log.info("a forwarded port was closed: %s", error)
        finally:
            for forward in self._forwards.values():
                if forward.backend is not None:
                    forward.backend.close()
            self._ready.close()

    def _round(self) -> bool:
        for key, _ in self._ready.select():
            if key.data is not None:
                self._from_backend(key.data)
                continue
            data = self._client.recv(_CHUNK)
            while pending := self._client.pending():
                data += self._client.recv(pending)
            if not data or not self._frames(data):
                return False
        return True

    def _frames(self, data: bytes) -> bool:
        """Handle the complete frames; False at the end of the session."""
        self._buffer += data
        while len(self._buffer) >= 8:
            head, size = struct.unpack(">II", self._buffer[:8])
            flags, length = size >> 24, size & 0xFFFFFF
            if len(self._buffer) < 8 + length:
                break
            body, self._buffer = self._buffer[8 : 8 + length], self._buffer[8 + length :]
            if not head >> 31:
                self._data(head, flags, body)
            elif not self._control(head & 0xFFFF, body):
                return False
        return True

    def _control(self, kind: int, body: bytes) -> bool:
        if kind == _SYN_STREAM:
            (stream,) = struct.unpack(">I", body[:4])
            self._open(stream, self._read_headers(body[10:]))
        elif kind == _HEADERS:
            self._read_headers(body[4:])
        elif kind == _RST_STREAM:
            self._reset(struct.unpack(">I", body[:4])[0])
        elif kind == _PING:
            self._send_control(_PING, body)
        return kind != _GOAWAY

    def _open(self, stream: int, headers: dict[str, str]) -> None:
        packed = self._pack.compress(struct.pack(">I", 0)) + self._pack.flush(zlib.Z_SYNC_FLUSH)
        self._send_control(_SYN_REPLY, struct.pack(">I", stream) + packed)
        forward = self._forwards.setdefault(headers["requestid"], _Forward())
        forward.streams[headers["streamtype"]] = stream
        self._by_stream[stream] = forward
        if set(forward.streams) != {"data", "error"}:
            return
        try:
            forward.backend = self._connect(int(headers["port"]))
        except (OSError, ValueError) as error:
            self._send(forward.streams["error"], f"port {headers['port']}: {error}".encode())
            self._finish(forward)
        else:
            self._ready.register(forward.backend, selectors.EVENT_READ, forward)

    def _data(self, stream: int, flags: int, body: bytes) -> None:
        forward = self._by_stream.get(stream)
        if forward is None or forward.backend is None or stream != forward.streams["data"]:
            return
        try:
            forward.backend.sendall(body)
            if flags & _FIN:
                forward.backend.shutdown(socket.SHUT_WR)
        except OSError:
            self._finish(forward)

    def _from_backend(self, forward: _Forward) -> None:
        backend = forward.backend
        if backend is None:
            return
        try:
            data = backend.recv(_CHUNK)
        except OSError:
            data = b""
        if data:
            self._send(forward.streams["data"], data)
        else:
            self._finish(forward)

    def _finish(self, forward: _Forward) -> None:
        self._close(forward)
        for stream in forward.streams.values():
            self._send(stream, b"", _FIN)

    def _reset(self, stream: int) -> None:
        forward = self._by_stream.pop(stream, None)
        if forward is not None and stream == forward.streams.get("data"):
            self._close(forward)

    def _close(self, forward: _Forward) -> None:
        if forward.backend is not None:
            self._ready.unregister(forward.backend)
            forward.backend.close()
            forward.backend = None

    def _read_headers(self, packed: bytes) -> dict[str, str]:
        block = self._unpack.decompress(packed)
        (count,), place, texts = struct.unpack(">I", block[:4]), 4, list[str]()
        for _ in range(2 * count):
            (length,) = struct.unpack(">I", block[place : place + 4])
            texts.append(block[place + 4 : place + 4 + length].decode())
            place += 4 + length
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}

    def _send(self, stream: int, data: bytes, flags: int = 0) -> None:
        self._client.sendall(struct.pack(">II", stream, flags << 24 | len(data)) + data)

    def _send_control(self, kind: int, body: bytes) -> None:
        self._client.sendall(struct.pack(">II", 1 << 31 | _VERSION << 16 | kind, len(body)) + body)


def accepts(headers: Any) -> bool:
    """Whether a request asks for port forwarding in the form that is served here."""
    return (headers.get("Upgrade") or "").upper() == UPGRADE and PROTOCOL in (
        headers.get("X-Stream-Protocol-Version") or PROTOCOL
    )
