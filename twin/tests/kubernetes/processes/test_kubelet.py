"""Logs and port forwarding, as the API server requests them from a kubelet."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twin.kubernetes import certificates
from twin.kubernetes.processes.kubelet import Kubelet
from twin.kubernetes.processes.logs import Writer


class Pod:
    """A Pod with a container that has run twice, and one that has not started."""

    def __init__(self, folder: Path) -> None:
        self.name = "train"
        self.gone = threading.Event()
        self.folder = folder
        self.launcher = SimpleNamespace(log=self.log, address="127.0.0.1")
        self.main = SimpleNamespace(name="main", restarts=1, running=False, image=object(), state={})
        waiting = {"waiting": {"reason": "PodInitializing"}}
        late = SimpleNamespace(name="late", restarts=0, running=False, image=object(), state=waiting)
        proxy = SimpleNamespace(name="proxy", restarts=0, running=True, image=None, state={})
        self.containers = {container.name: container for container in (self.main, late, proxy)}
        for restarts, text in enumerate((b"before\n", b"first\nsecond\n")):
            writer = Writer(self.log("main", restarts))
            for line in text.splitlines():
                writer._line(line, "stdout")  # pyright: ignore[reportPrivateUsage]
            writer.close()

    def log(self, name: str, restarts: int) -> Path:
        return self.folder / name / f"{restarts}.log"

    def container(self, name: str) -> Any:
        return self.containers.get(name)

    def listens(self, port: int) -> bool:
        return port == self.port

    port = 0


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> certificates.Pki:
    return certificates.ensure(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


@pytest.fixture
def kubelet(pki: certificates.Pki, pod: Pod) -> Iterator[http.client.HTTPConnection]:
    """A connection as the relay gives it to the kubelet."""
    find: Any = lambda namespace, name: pod if (namespace, name) == ("default", "train") else None  # noqa: E731
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=Kubelet(pki, find).serve, args=(theirs,), daemon=True)
    thread.start()
    ours.settimeout(10)
    context = ssl.create_default_context(cafile=str(pki.certificate("ca")))
    context.check_hostname = False
    connection = http.client.HTTPConnection("node")
    connection.sock = context.wrap_socket(ours)
    yield connection
    connection.close()
    thread.join(5)
    assert not thread.is_alive(), "the kubelet's thread ends with the connection"


def request(kubelet: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    kubelet.request("GET", path)
    answer = kubelet.getresponse()
    return answer.status, answer.read().decode()


def test_logs_are_served_for_each_start_of_a_container(kubelet: http.client.HTTPConnection) -> None:
    assert request(kubelet, "/containerLogs/default/train/main") == (200, "first\nsecond\n")
    assert request(kubelet, "/containerLogs/default/train/main?tailLines=1") == (200, "second\n")
    assert request(kubelet, "/containerLogs/default/train/main?previous=true") == (200, "before\n")
    status, text = request(kubelet, "/containerLogs/default/train/main?timestamps=true")
    assert status == 200
    assert text.split()[0].endswith("Z")


def test_a_followed_log_ends_with_the_container(kubelet: http.client.HTTPConnection, pod: Pod) -> None:
    pod.main.running = True
    kubelet.request("GET", "/containerLogs/default/train/main?follow=true")
    answer = kubelet.getresponse()
    assert answer.readline() == b"first\n"
    assert answer.readline() == b"second\n"
    writer = Writer(pod.log("main", 1))
    writer._line(b"third", "stdout")  # pyright: ignore[reportPrivateUsage]
    assert answer.readline() == b"third\n"
    pod.main.running = False
    assert answer.read() == b""
    writer.close()


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/containerLogs/default/other/main", 404, "no process of it has run since the twin was started"),
        ("/containerLogs/default/train/none", 404, "container none not found"),
        ("/containerLogs/default/train/late", 400, "is waiting to start: PodInitializing"),
        ("/containerLogs/default/train/late?previous=true", 400, "previous terminated container"),
        ("/containerLogs/default/train/proxy", 400, "its image is in no table"),
        ("/exec/default/train/main", 501, "serves no exec"),
        ("/portForward/default/train", 400, "unable to upgrade"),
    ],
)
def test_what_is_not_served_is_refused_with_the_reason(
    kubelet: http.client.HTTPConnection, path: str, status: int, text: str
) -> None:
    answered, body = request(kubelet, path)
    assert answered == status
    assert text in json.loads(body)["message"]


def test_port_forwarding_is_upgraded_to_spdy(kubelet: http.client.HTTPConnection) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "SPDY/3.1",
        "X-Stream-Protocol-Version": "portforward.k8s.io",
    }
    kubelet.request("POST", "/portForward/default/train", headers=headers)
    answer = kubelet.getresponse()
    assert answer.status == 101
    assert answer.headers["Upgrade"] == "SPDY/3.1"
