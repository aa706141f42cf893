"""The twin under Google's own host names."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from twin import web
from twin.gcp.api_server.server import ApiServer
from twin.gcp.credentials import deployer
from twin.gcp.hosts import _SERVICE, Hosts, _messages, main
from twin.kubernetes import certificates
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT


@pytest.fixture
def hosts(google: ApiServer) -> Iterator[Hosts]:
    """The proxy before an API server that serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        google.instance.ports["cloud"] = free.getsockname()[1]
    server = web.bind(google.instance)
    server.app = web.application(google)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with Hosts(google.instance) as hosts:
        yield hosts
    server.shutdown()
    server.server_close()
    thread.join()


def _connected(hosts: Hosts, target: str) -> tuple[socket.socket, bytes]:
    connection = socket.create_connection(("127.0.0.1", hosts.port), timeout=10)
    connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    return connection, connection.recv(200)


def _authority(google: ApiServer) -> str:
    return str(certificates.ensure(google.instance.folder / "kubernetes" / "pki").certificate("ca"))


def _get(google: ApiServer, hosts: Hosts, host: str, path: str) -> tuple[int, bytes]:
    """GET https://<host>/<path>, through the proxy."""
    raw, answered = _connected(hosts, f"{host}:443")
    assert answered.startswith(b"HTTP/1.1 200")
    token = deployer(google.instance).access_token
    lines = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    with ssl.create_default_context(cafile=_authority(google)).wrap_socket(raw, server_hostname=host) as line:
        line.sendall(lines.encode())
        answer = b""
        while data := line.recv(65536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_an_api_answers_under_its_own_name_and_certificate(google: ApiServer, hosts: Hosts) -> None:
    code, body = _get(google, hosts, "cloudresourcemanager.googleapis.com", f"/v1/projects/{PROJECT}")
    assert (code, json.loads(body)["projectId"]) == (200, PROJECT)


def test_objects_are_read_as_by_the_xml_api(google: ApiServer, hosts: Hosts) -> None:
    storage = api_servers.client(google, "storage")
    storage.buckets().insert(
        project=PROJECT, body={"name": "acme-state", "location": "us-central1"}
    ).execute()
    call = "/upload/storage/v1/b/acme-state/o?uploadType=media&name=.pulumi/meta.yaml"
    wire = api_servers.Wire(google, deployer(google.instance).access_token, {})
    assert (
        wire.request(f"http://front{call}", "POST", b"version: 1", {"Content-Type": "text/plain"})[0].status
        == 200
    )
    for path in ("/acme-state/.pulumi/meta.yaml", "/acme-state/.pulumi%2Fmeta.yaml"):
        assert _get(google, hosts, "storage.googleapis.com", path) == (200, b"version: 1"), (
            "Go's client reads so"
        )
    assert _get(google, hosts, "storage.googleapis.com", "/acme-state/none")[0] == 404
    assert _get(google, hosts, "storage.googleapis.com", "/storage/v1/b/acme-state")[0] == 200


def test_keys_are_used_by_grpc(google: ApiServer, hosts: Hosts) -> None:
    location = f"projects/{PROJECT}/locations/us-central1"
    rings = api_servers.client(google, "cloudkms").projects().locations().keyRings()
    rings.create(parent=location, keyRingId="r", body={}).execute()
    ring = f"{location}/keyRings/r"
    rings.cryptoKeys().create(parent=ring, cryptoKeyId="k", body={"purpose": "ENCRYPT_DECRYPT"}).execute()
    messages = _messages()
    trusted = grpc.ssl_channel_credentials(Path(_authority(google)).read_bytes())
    named = (("grpc.ssl_target_name_override", "cloudkms.googleapis.com"),)

    def call(verb: str, token: str = deployer(google.instance).access_token, **fields: Any) -> Any:
        with grpc.secure_channel(f"127.0.0.1:{hosts._kms[1]}", trusted, named) as channel:
            method = channel.unary_unary(
                f"/{_SERVICE}/{verb}",
                request_serializer=messages[f"{verb}Request"].SerializeToString,
                response_deserializer=messages[f"{verb}Response"].FromString,
            )
            request = messages[f"{verb}Request"](**fields)
            return method(request, metadata=(("authorization", f"Bearer {token}"),), timeout=10)

    key = f"{ring}/cryptoKeys/k"
    ciphertext = call("Encrypt", name=key, plaintext=b"s3cret").ciphertext
    assert call("Decrypt", name=key, ciphertext=ciphertext).plaintext == b"s3cret"
    for fields, code in (
        ({"name": key, "ciphertext": b"x"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": f"{key}s", "ciphertext": ciphertext}, grpc.StatusCode.NOT_FOUND),
        ({"name": key, "ciphertext": ciphertext, "token": "stranger"}, grpc.StatusCode.UNAUTHENTICATED),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            call("Decrypt", **fields)
        assert refused.value.code() == code


def test_other_hosts_are_reached_directly_and_what_is_no_connect_is_refused(hosts: Hosts) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        port = elsewhere.getsockname()[1]
        line, answered = _connected(hosts, f"127.0.0.1:{port}")
        with line, elsewhere.accept()[0] as far:
            assert answered.startswith(b"HTTP/1.1 200")
            line.sendall(b"hello")
            assert far.recv(5) == b"hello"
    line, answered = _connected(hosts, f"127.0.0.1:{port}")
    line.close()
    assert b"502" in answered, "nothing listens there now"
    with socket.create_connection(("127.0.0.1", hosts.port), timeout=10) as plain:
        plain.sendall(b"GET http://storage.googleapis.com/ HTTP/1.1\r\n\r\n")
        assert b"405" in plain.recv(200)


def test_outside_a_twin_of_google_cloud_it_says_how_it_is_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIPLATFORM_TWIN", raising=False)
    assert main(["true"]) == 2
    assert "aiplatform twin run --name gcp-dev -- python -m twin.gcp.hosts COMMAND" in capsys.readouterr().err
