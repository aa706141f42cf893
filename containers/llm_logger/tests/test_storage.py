"""Objects on both clouds, and versions by an API server."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.server import ThreadedMotoServer

from llm_logger.storage import open_folder
from llm_logger.versions import read_by_api


def test_object_of_s3_is_below_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        client = boto3.client("s3")
        client.create_bucket(Bucket="logs")
        open_folder("s3://logs/logs").write("search/chat-blue/x.json", b"[]")
        stored = client.get_object(Bucket="logs", Key="logs/search/chat-blue/x.json")
        assert stored["Body"].read() == b"[]"
        assert stored["ContentType"] == "application/json"
    finally:
        server.stop()


class _Server:
    """A server of HTTP. answers: method and path -> status and body."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status, self.body = 200, b"{}"
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                owner.requests.append((self.command, self.path, dict(self.headers), body))
                # Cloud Storage's client reads the bucket, too, which the role objectCreator does not allow.
                is_allowed = not self.path.startswith("/storage/v1/b/")
                self.send_response(owner.status if is_allowed else 403)
                self.send_header("Content-Length", str(len(owner.body)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(owner.body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_object_of_cloud_storage_is_created_and_replaces_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    server = _Server()
    server.body = json.dumps({"name": "x", "bucket": "logs"}).encode()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "acme")
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (AnonymousCredentials(), "acme"))
    try:
        open_folder("gs://logs/logs").write("search/chat-blue/x.json", b'[{"id": 1}]')
    finally:
        server.server.shutdown()
    [(path, body)] = [(path, body) for method, path, _, body in server.requests if method == "POST"]
    assert urllib.parse.parse_qs(urllib.parse.urlparse(path).query)["ifGenerationMatch"] == ["0"]
    assert b'"name": "logs/search/chat-blue/x.json"' in body
    assert b'[{"id": 1}]' in body


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "api")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    (tmp_path / "token").write_text("secret\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.crt", tmp_path / "key")
    server = _Server(context)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    yield server
    server.server.shutdown()


def test_version_is_the_label_of_the_inference_service(api: _Server, tmp_path: Path) -> None:
    read = read_by_api("search", tmp_path)
    api.body = json.dumps({"metadata": {"labels": {"ai-platform/release": "7"}}}).encode()
    assert read("chat-blue") == "7"
    _, path, headers, _ = api.requests[0]
    assert path == "/apis/serving.kserve.io/v1beta1/namespaces/search/inferenceservices/chat-blue"
    assert headers["Authorization"] == "Bearer secret"
    api.body = b'{"metadata": {}}'
    assert read("chat-blue") is None
    api.status = 404
    assert read("chat-blue") is None
    api.status = 403
    with pytest.raises(OSError, match="403"):
        read("chat-blue")
