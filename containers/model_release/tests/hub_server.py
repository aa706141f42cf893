"""A small server with the API of Hugging Face, as its client requests it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse

REVISION = "89abcdef0123456789abcdef0123456789abcdef"


@dataclass
class Hub:
    """One repository. files: path -> content; those that end in .safetensors are in LFS. token: required
    where it is not empty. stated: the digests that the API states, where they are not those of the files."""

    files: dict[str, bytes]
    card_data: Mapping[str, Any] | None
    token: str = ""
    stated: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def start(self) -> str:
        """Serve it, and return the address."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()

    def answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        """Answer a request."""
        path = unquote(urlparse(request.path).path)
        self.requests.append(f"{request.command} {path}")
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return self._send(request, 401, b'{"error": "Access to model is restricted"}', {}, body=body)
        if path.startswith("/api/models/"):
            return self._send(request, 200, json.dumps(self._info()).encode(), {}, body=body)
        name = path.partition(f"/resolve/{REVISION}/")[2]
        if name not in self.files:
            headers = {"X-Error-Code": "EntryNotFound"}
            return self._send(request, 404, b"Entry not found", headers, body=body)
        content = self.files[name]
        digest = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{digest}"', "X-Repo-Commit": REVISION}
        return self._send(request, 200, content, headers, body=body)

    def _info(self) -> dict[str, Any]:
        return {
            "id": "acme/tiny",
            "sha": REVISION,
            "cardData": self.card_data,
            "siblings": [self._sibling(path, content) for path, content in self.files.items()],
        }

    def _sibling(self, path: str, content: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": "0" * 40}
        if path.endswith(".safetensors"):
            digest = self.stated.get(path) or hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
        return entry

    @staticmethod
    def _send(
        request: BaseHTTPRequestHandler,
        status: int,
        content: bytes,
        headers: Mapping[str, str],
        *,
        body: bool,
    ) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        if body:
            request.wfile.write(content)
