"""Names and addresses of a cluster on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twin.kubernetes.api import Object
from twin.kubernetes.processes import addresses
from twin.kubernetes.processes.launch import HOOK
from twin.kubernetes.processes.network import Network

POD = addresses.of_host("web-0", "web", "team")
HERE = addresses.loopback(POD)


def service(name: str, address: str, **ports: int) -> Object:
    spec = {"clusterIP": address, "ports": [{"name": key, "port": port} for key, port in ports.items()]}
    return {"metadata": {"name": name, "namespace": "team"}, "spec": spec}


def ends(name: str, address: str, *, ready: bool = True, hostname: str = "", **ports: int) -> Object:
    endpoint: Object = {"addresses": [address], "conditions": {"ready": ready}}
    if hostname:
        endpoint["hostname"] = hostname
    return {
        "metadata": {"namespace": "team", "labels": {"kubernetes.io/service-name": name}},
        "endpoints": [endpoint],
        "ports": [{"name": key, "port": port} for key, port in ports.items()],
    }


@pytest.fixture
def cloud() -> Iterator[int]:
    """A server of the twin, on 127.0.0.1. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def network(tmp_path: Path, cloud: int) -> Network:
    network = Network(tmp_path / "network.json", ("127.0.0.1", 6443), [cloud])
    services = [
        service("web", "None"),
        service("front", "172.20.0.5", http=80, metrics=9090),
        service("idle", "172.20.0.6", http=80),
        {
            "metadata": {"name": "kubernetes", "namespace": "default"},
            "spec": {"clusterIP": "172.20.0.1", "ports": [{"name": "https", "port": 443}]},
        },
    ]
    slices = [
        ends("web", POD, hostname="web-0"),
        ends("front", POD, http=8080),
        ends("front", "100.64.0.3", http=8080),
        ends("idle", addresses.of_host("a", "b", "c"), ready=False, http=8080),
    ]
    network.update(services, slices)
    return network


def test_a_service_leads_to_the_processes_behind_it(network: Network) -> None:
    assert network.target("172.20.0.5", 80) == (HERE, 8080)
    assert network.target(POD, 1234) == (HERE, 1234)
    assert network.target("172.20.0.1", 443) == ("127.0.0.1", 6443)
    assert network.target("172.20.0.6", 80) is None, "its Pod is not ready"
    assert network.target("172.20.0.5", 9090) is None, "no container listens there"
    assert network.target("100.64.0.3", 8080) is None, "kwok simulates this Pod"
    assert network.headless("team") == ["web"]


def test_programs_read_the_names_of_the_clusters_dns(network: Network, cloud: int) -> None:
    known = json.loads(network.file.read_text())
    assert known["names"]["web.team"] == [HERE]
    assert known["names"]["web-0.web.team"] == [HERE]
    assert known["names"]["front.team"] == ["172.20.0.5"]
    assert known["direct"] == sorted([cloud, 6443])
    assert network.file.stat().st_mode & 0o777 == 0o600


def _python(network: Network, code: str) -> Any:
    """Run a program as in a Pod of namespace team; return what it prints as JSON."""
    pod = {"address": "127.100.0.1", "namespace": "team", "network": str(network.file)}
    done = subprocess.run(
        [sys.executable, "-c", f"import json, socket\n{code}"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(HOOK),
            "HOSTNAME": "train-0",
            "AIPLATFORM_TWIN_POD": json.dumps(pod),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more than one address on loopback")
def test_a_python_program_has_the_addresses_of_its_pod(network: Network, cloud: int) -> None:
    code = (
        f"""
cloud = {cloud}"""
        + """
server = socket.create_server(("0.0.0.0", 0)); port = server.getsockname()[1]
near = socket.create_connection(("localhost", port), timeout=5)
dual = socket.create_server(("::", 0), family=socket.AF_INET6)
def names(host):
    return sorted({entry[4][0] for entry in socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)})
def failure(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return type(error).__name__
print(json.dumps({
    "listens": server.getsockname()[0],
    "dual": dual.getsockname()[0],
    "from": near.getpeername()[0],
    "host": socket.gethostname(),
    "self": socket.gethostbyname("train-0"),
    "web": names("web"),
    "full": names("web-0.web.team.svc.cluster.local"),
    "front": names("front.team.svc"),
    "unknown": failure(names, "none.team.svc"),
    "idle": failure(socket.create_connection, ("idle", 80), 5),
    "twin": socket.create_connection(("127.0.0.1", cloud), 5).getpeername()[0],
}))
"""
    )
    assert _python(network, code) == {
        "listens": "127.100.0.1",
        "dual": "::ffff:127.100.0.1",
        "from": "127.100.0.1",
        "host": "train-0",
        "self": "127.100.0.1",
        "web": [HERE],
        "full": [HERE],
        "front": ["172.20.0.5"],
        "unknown": "gaierror",
        "idle": "ConnectionRefusedError",
        "twin": "127.0.0.1",
    }
