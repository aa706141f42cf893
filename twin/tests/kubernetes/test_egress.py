"""The relay of the API server's connections: what it connects, what it refuses, and whom it serves."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twin.kubernetes import backends as module
from twin.kubernetes.api import Unreachable
from twin.kubernetes.backends import Backends
from twin.kubernetes.egress import NoBackendError, Relay, Serve, to_loopback
from twin.tests.kubernetes.builders import pod


class Listener:
    """Something on loopback that echoes, and counts who came."""

    def __init__(self) -> None:
        self.came = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.came += 1
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    started = Listener()
    yield started
    started.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "egress.sock"


@pytest.fixture
def relay(path: Path, listener: Listener) -> Iterator[Relay]:
    def resolve(host: str, port: int) -> Serve:
        if (host, port) == ("10.100.0.9", 443):
            return to_loopback(listener.port)
        if host == "10.100.0.13":
            raise Unreachable("connection refused")
        raise NoBackendError(f"Service gatekeeper/webhook\r\nX-Forged: é port {port} has no backend")

    started = Relay(path, resolve)
    started.start()
    yield started
    started.stop()


def connect(path: Path, request: str) -> tuple[str, socket.socket]:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(os.path.relpath(path))
    client.sendall(request.encode())
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(1)
        assert data, f"no whole answer: {head!r}"
        head += data
    return head.decode(), client


def test_a_backend_of_the_twin_is_connected_both_ways_to_the_end(
    relay: Relay, path: Path, listener: Listener
) -> None:
    head, client = connect(path, "CONNECT 10.100.0.9:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 ")
    sent = os.urandom(1_000_000)
    threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR))).start()
    received = b""
    while data := client.recv(65536):
        received += data
    assert received == sent
    client.close()


def test_what_has_no_backend_is_refused_at_once_with_the_reason_in_one_line(
    relay: Relay, path: Path, listener: Listener
) -> None:
    began = time.monotonic()
    # The listener has the very port that is asked for: it is not the twin's, and must not be called.
    head, client = connect(path, f"CONNECT 127.0.0.1:{listener.port} HTTP/1.1\r\n\r\n")
    assert time.monotonic() - began < 1
    first, *rest = head.split("\r\n")
    assert first.startswith("HTTP/1.1 503 Service gatekeeper/webhook X-Forged: ? port")
    assert not any(line.startswith("X-Forged") for line in rest), "a name forges no header"
    assert client.recv(1) == b"", "the connection ends"
    assert listener.came == 0


def test_what_cannot_be_looked_up_is_refused_and_not_dialled(relay: Relay, path: Path) -> None:
    head, _ = connect(path, "CONNECT 10.100.0.13:443 HTTP/1.1\r\n\r\n")
    assert head.startswith("HTTP/1.1 503 ")
    assert "Unreachable" in head


@pytest.mark.parametrize(
    "request_", ["GET / HTTP/1.1\r\n\r\n", "CONNECT nowhere HTTP/1.1\r\n\r\n", "x" * 9000]
)
def test_what_is_no_connect_is_refused(relay: Relay, path: Path, request_: str) -> None:
    assert connect(path, request_)[0].startswith("HTTP/1.1 400 ")


def test_the_socket_is_its_owners_alone_and_replaces_the_one_of_a_killed_relay(
    relay: Relay, path: Path
) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    relay.stop()
    assert path.exists(), "as a kill leaves it"
    second = Relay(path, lambda host, port: to_loopback(1))
    second.start()
    second.stop()
    second = Relay(path, lambda host, port: to_loopback(1))
    second.close()


def test_a_long_path_is_reached_from_the_twins_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("a" * 60) / ("b" * 60)
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    Relay(folder / "run" / "egress.sock", lambda host, port: to_loopback(1)).close()
    assert (folder / "run" / "egress.sock").is_socket()


class Cluster:
    """The API server, as far as addresses go; it knows the field selectors of its Services and Pods."""

    def get(self, where: str, fieldSelector: str = "") -> Any:  # noqa: N803 - the API server's own name
        """A list."""
        metadata = {"namespace": "gatekeeper", "name": "webhook"}
        address = {"type": "InternalIP", "address": "10.0.0.4"}
        everything: dict[str, tuple[str, Any]] = {
            "/api/v1/services": ("spec.clusterIP=10.100.0.9", {"metadata": metadata}),
            "/api/v1/pods": ("status.podIP=100.64.0.7", {"metadata": {**metadata, "name": "webhook-1"}}),
            "/api/v1/nodes": ("", {"metadata": {"name": "first"}, "status": {"addresses": [address]}}),
        }
        selector, item = everything[where]
        return {"items": [item] if selector == fieldSelector else []}


@pytest.fixture
def backends() -> Backends:
    cluster: Any = Cluster()
    return Backends(cluster)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("10.100.0.9", 443, "Service gatekeeper/webhook port 443 has no backend"),
        ("100.64.0.7", 8080, "Pod gatekeeper/webhook-1 port 8080 has no backend"),
        ("10.0.0.4", 10250, "Node first has no kubelet"),
        ("10.9.9.9", 443, "10.9.9.9:443 is no Service, Pod or Node"),
        ("127.0.0.1", 22, "127.0.0.1:22 is no Service, Pod or Node"),
        ("hooks.example.com", 443, "hooks.example.com:443 is outside the twin"),
    ],
)
def test_a_refusal_names_what_was_called(backends: Backends, host: str, port: int, message: str) -> None:
    with pytest.raises(NoBackendError, match=message.replace(".", r"\.")):
        backends.resolve(host, port)


def test_a_registered_backend_serves_its_port_and_no_other(backends: Backends) -> None:
    serve = to_loopback(1)
    backends.register_service("gatekeeper", "webhook", 443, serve)
    backends.register_host("token-webhook.twin.invalid", 80, serve)
    assert backends.resolve("10.100.0.9", 443) is serve
    assert backends.resolve("token-webhook.twin.invalid", 80) is serve
    for host, port in (("10.100.0.9", 8443), ("token-webhook.twin.invalid", 443)):
        with pytest.raises(NoBackendError):
            backends.resolve(host, port)


def test_a_lookup_answers_for_its_addresses_and_no_other(backends: Backends) -> None:
    serve = to_loopback(1, "127.96.0.9")
    backends.register_lookup(lambda host, port: serve if (host, port) == ("100.96.0.9", 8080) else None)
    assert backends.resolve("100.96.0.9", 8080) is serve
    with pytest.raises(NoBackendError):
        backends.resolve("100.96.0.9", 8081)


class ClusterWithPods:
    """A Service with two ports and its Pods, of which one is ready."""

    def __init__(self, *, ready: bool = True) -> None:
        metadata = {"namespace": "kueue-system", "name": "hooks"}
        ports = [{"port": 443, "targetPort": "webhook"}, {"port": 8080}]
        self.service = {"metadata": metadata, "spec": {"selector": {"app": "kueue"}, "ports": ports}}
        self.pods = [
            pod("a", namespace="kueue-system", node="n"),
            pod("b", namespace="kueue-system", node="n", phase="Running" if ready else "Pending"),
        ]
        for item in self.pods:
            item["spec"]["containers"][0]["ports"] = [{"name": "webhook", "containerPort": 9443}]

    def get(self, where: str, **query: str) -> Any:
        """A list."""
        if where == "/api/v1/services":
            return {"items": [self.service]}
        assert (where, query) == ("/api/v1/namespaces/kueue-system/pods", {"labelSelector": "app=kueue"})
        return {"items": self.pods}


def test_service_is_served_by_the_process_of_one_of_its_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "to_loopback", lambda port: port)
    cluster: Any = ClusterWithPods()
    backends = Backends(cluster)
    backends.register_pod("kueue-system", "b", {9443: 23456, 8080: 23457})
    assert backends.resolve("10.100.0.9", 443) == 23456, "the port's name is the container's"
    assert backends.resolve("10.100.0.9", 8080) == 23457, "without a target it is the Service's"
    with pytest.raises(NoBackendError, match="port 9443 has no backend"):
        backends.resolve("10.100.0.9", 9443)
    backends.unregister_pod("kueue-system", "b")
    with pytest.raises(NoBackendError):
        backends.resolve("10.100.0.9", 443)


def test_service_of_simulated_pods_is_served_in_their_place() -> None:
    requested: list[tuple[str, str]] = []

    def absent(namespace: str, name: str) -> Any:
        requested.append((namespace, name))
        return to_loopback(1)

    cluster: Any = ClusterWithPods()
    backends = Backends(cluster, absent)
    backends.resolve("10.100.0.9", 443)
    assert requested == [("kueue-system", "hooks")]
    backends.register_pod("kueue-system", "a", {})
    with pytest.raises(NoBackendError, match="has no backend"):
        backends.resolve("10.100.0.9", 443)
    cluster = ClusterWithPods()
    cluster.pods[0]["status"]["podIP"] = "100.96.0.9"
    with pytest.raises(NoBackendError, match="has no backend"):
        Backends(cluster, absent).resolve("10.100.0.9", 443)  # it runs as processes that do not listen
    cluster = ClusterWithPods(ready=False)
    with pytest.raises(NoBackendError, match="has no backend"):
        Backends(cluster, absent).resolve("10.100.0.9", 443)


def test_calls_of_many_webhooks_at_once_are_queued(tmp_path: Path) -> None:
    path = tmp_path / "run" / "egress.sock"
    relay = Relay(path, lambda host, port: to_loopback(1))
    calls = [socket.socket(socket.AF_UNIX) for _ in range(50)]
    try:
        for call in calls:
            # Not started: nothing is taken from the queue.
            call.setblocking(False)
            call.connect(str(path))
    finally:
        for call in calls:
            call.close()
        relay.close()
