"""A registry in memory, which accepts and serves what clients push and pull."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from cli.images.registry import Registry, digest_of


@dataclass
class Stored:
    """The content of a registry, by repository."""

    host: str = ""
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(
        default_factory=dict[tuple[str, str], tuple[str, bytes]]
    )
    token: str = ""
    """A token that pushing requires; empty: none."""
    scopes: list[str] = field(default_factory=list[str])
    uploads: int = 0

    @property
    def client(self) -> Registry:
        return Registry(self.host, lambda _: "user:password")

    def add(self, repository: str, tag: str, kind: str, content: bytes) -> str:
        for reference in (tag, digest_of(content)):
            self.manifests[repository, reference] = (kind, content)
        return digest_of(content)


class _Handler(BaseHTTPRequestHandler):
    stored: ClassVar[Stored]

    def do_GET(self) -> None:
        path, query = self._place()
        if path == "/token":
            self.stored.scopes += query["scope"]
            self._answer(200, b'{"token": "%s"}' % self.stored.token.encode(), "application/json")
            return
        repository, kind, reference = self._parts(path)
        if kind == "manifests" and (repository, reference) in self.stored.manifests:
            media_type, content = self.stored.manifests[repository, reference]
            self._answer(200, content, media_type)
        elif kind == "blobs" and (repository, reference) in self.stored.blobs:
            self._answer(200, self.stored.blobs[repository, reference], "application/octet-stream")
        else:
            self._answer(404, b"{}", "application/json")

    def do_HEAD(self) -> None:
        if not self._authorized():
            return
        repository, _, reference = self._parts(self._place()[0])
        self._answer(200 if (repository, reference) in self.stored.blobs else 404, b"", "text/plain")

    def do_POST(self) -> None:
        if not self._authorized():
            return
        path, _ = self._place()
        self.send_response(202)
        self.send_header("Location", f"{path}an-upload?state=1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._authorized():
            return
        path, query = self._place()
        if "/uploads/" in path:
            repository = path.removeprefix("/v2/").partition("/blobs/")[0]
            (digest,) = query["digest"]
            if digest != digest_of(content) or query["state"] != ["1"]:
                self._answer(400, b"digest invalid", "text/plain")
                return
            self.stored.blobs[repository, digest] = content
            self.stored.uploads += 1
        else:
            repository, _, reference = self._parts(path)
            self.stored.add(repository, reference, self.headers["Content-Type"], content)
        self._answer(201, b"", "text/plain")

    def _authorized(self) -> bool:
        if not self.stored.token or self.headers.get("Authorization") == f"Bearer {self.stored.token}":
            return True
        self.send_response(401)
        self.send_header("WWW-Authenticate", f'Bearer realm="http://{self.stored.host}/token",service="it"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def _place(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return parts.path, parse_qs(parts.query)

    @staticmethod
    def _parts(path: str) -> tuple[str, str, str]:
        head, _, reference = path.removeprefix("/v2/").rpartition("/")
        repository, _, kind = head.rpartition("/")
        return repository, kind, reference

    def _answer(self, code: int, content: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the output of pytest is the tests'."""


@contextmanager
def registry() -> Iterator[Stored]:
    """A registry on this machine."""
    stored = Stored()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stored": stored}))
    stored.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stored
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
