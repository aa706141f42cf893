"""The request to the model's route by the address of a Service: the certificate is that of the host."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from serving.clients import Predictor, Scores, UpstreamError

HOST = "models.acme.example"


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server with a certificate of the host, whose authority SSL_CERT_FILE has."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "tls.key", tmp_path / "ca.crt"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{HOST}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *words, *files], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"outputs": [{"data": [0.5]}]}).encode()
            self.send_response(200 if self.headers["Host"] == HOST else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}/shop/recommender"
    server.shutdown()
    server.server_close()


def scores(address: str, host: str | None) -> Scores:
    async def request() -> Scores:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=2)) as client:
            return await Predictor(client, address, "recommender", host).scores({"clicks": 1}, "r")

    return asyncio.run(request())


def test_the_certificate_and_the_route_are_those_of_the_host(gateway: str) -> None:
    assert scores(gateway, HOST).scores == [0.5]


@pytest.mark.parametrize("host", [None, "other.example"])
def test_another_certificate_is_refused(gateway: str, host: str | None) -> None:
    with pytest.raises(UpstreamError, match="certificate is not valid for"):
        scores(gateway, host)
