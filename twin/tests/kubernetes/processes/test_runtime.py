"""Which Pods run here, what happens when they are deleted, and what the relay connects to them."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from twin.instances import Instance
from twin.kubernetes.api import Object
from twin.kubernetes.egress import NoBackendError, Serve
from twin.kubernetes.processes import addresses, runtime
from twin.kubernetes.processes.images import Image, Images
from twin.kubernetes.processes.kubelet import Kubelet
from twin.kubernetes.processes.runtime import Processes
from twin.tests.kubernetes.builders import node, pod
from twin.tests.kubernetes.fakes import FakeKube, FakeMirror

IMAGES = Images([Image("tool", Path(__file__).parent)])
LISTEN = """
import socket, time
server = socket.create_server(("127.0.0.1", 8080))
time.sleep(60)
"""


class Identity:
    """A cloud without identities."""

    ports = (4566,)
    closed = False

    def extended(self, pod: Object) -> Object:
        return pod

    def variables(self, pod: Object) -> dict[str, str]:
        return {"CLOUD": "twin"}

    def close(self) -> None:
        self.closed = True


class Mirror(FakeMirror):
    """Collections that are in step with the API server."""

    synced = True

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


class Machine:
    """A node of the twin with what the API server has."""

    def __init__(self, instance: Instance, images: Images = IMAGES) -> None:
        body = node("node-1")
        body["status"]["addresses"] = [{"type": "InternalIP", "address": "10.0.0.4"}]
        self.instance = instance
        self.kube = FakeKube()
        self.mirror = Mirror(nodes=[body], pods=[])
        self.identity = Identity()
        kube: Any = self.kube
        mirror: Any = self.mirror
        self.processes = Processes(instance, kube, mirror, images, lambda: self.identity, 10, self.resolve)

    def resolve(self, host: str, port: int) -> Serve:
        raise NoBackendError(f"{host}:{port}")

    def bind(self, body: Object) -> None:
        """Let the API server and the mirror have a Pod."""
        self.kube.objects[f"/api/v1/namespaces/default/pods/{body['metadata']['name']}"] = body
        self.mirror.collections["pods"].append(body)

    def step(self, *, live: bool = True) -> None:
        self.processes.step(live=live)

    def phase(self, name: str = "train") -> str:
        return self.kube.objects[f"/api/v1/namespaces/default/pods/{name}"]["status"]["phase"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    monkeypatch.setattr(runtime, "Mirror", lambda *_: Mirror(services=[], slices=[]))
    instance = Instance("test", ports={"kube-apiserver": 6443})
    instance.folder.mkdir(parents=True)
    machine = Machine(instance)
    yield machine
    machine.processes.stop()


def server(name: str = "train") -> Object:
    body = pod(name, node="node-1", image="registry.example/tool:1")
    body["spec"]["containers"][0]["command"] = ["python", "-c", LISTEN]
    return body


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)


def connected(machine: Machine, host: str, port: int) -> bool:
    """Whether the relay serves an address; False where a Pod does not listen yet."""
    try:
        return machine.processes.backend(host, port) is not None
    except NoBackendError:
        return False


def test_only_bound_pods_of_images_in_the_table_are_run(machine: Machine) -> None:
    waiting = server("waiting")
    del waiting["spec"]["nodeName"]
    elsewhere = {**server("elsewhere"), "spec": {**server()["spec"], "nodeName": "node-9"}}
    for body in (server(), waiting, elsewhere, pod("other", node="node-1")):
        machine.bind(body)
    machine.step()
    until(lambda: machine.phase() == "Running")
    assert machine.phase("waiting") == machine.phase("elsewhere") == machine.phase("other") == "Pending"
    folders = [path.name for path in (machine.instance.folder / "pods").iterdir() if path.is_dir()]
    assert folders == ["uid-default-train"]


def test_a_deleted_pod_leaves_no_process_and_no_folder(machine: Machine) -> None:
    machine.bind(server())
    machine.step()
    until(lambda: connected(machine, addresses.of_pod(server()), 8080))
    machine.mirror.collections["pods"].clear()
    machine.step()
    here = addresses.loopback(addresses.of_pod(server()))
    with pytest.raises(ConnectionRefusedError):
        until(lambda: not socket.create_connection((str(here), 8080), timeout=1))
    until(lambda: machine.step() or not list((machine.instance.folder / "pods").glob("uid-*")))


def test_the_end_of_the_cluster_ends_all_and_deletes_claims(machine: Machine) -> None:
    body = server()
    body["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    machine.bind(body)
    machine.step()
    until(lambda: machine.phase() == "Running")
    assert (machine.instance.folder / "claims" / "default" / "data").is_dir()
    machine.step(live=False)
    assert not (machine.instance.folder / "claims").exists()
    until(lambda: machine.step(live=False) or not list((machine.instance.folder / "pods").glob("uid-*")))


def test_folders_of_a_former_controller_are_deleted(machine: Machine) -> None:
    former = machine.instance.folder / "pods" / "uid-former"
    former.mkdir(parents=True)
    machine.step()
    assert not former.exists()


def test_the_relay_reaches_kubelets_and_ports_on_which_a_pod_listens(machine: Machine) -> None:
    assert machine.processes.backend("10.0.0.4", 10250) is None, "no Pod has run yet"
    machine.bind(server())
    machine.step()
    serve: Any = machine.processes.backend("node-1", 10250) or machine.processes.backend("10.0.0.4", 10250)
    assert isinstance(serve.__self__, Kubelet)
    address = addresses.of_pod(server())
    until(lambda: connected(machine, address, 8080))
    with pytest.raises(NoBackendError, match="no process of Pod default/train listens on port 8081"):
        machine.processes.backend(address, 8081)
    assert machine.processes.backend("100.96.0.1", 8080) is None, "no Pod has this address"
    assert machine.processes.backend("100.64.0.7", 8080) is None, "kwok simulates this Pod"
    assert machine.processes.backend("10.0.0.5", 10250) is None, "no node has this address"


def test_processes_end_with_the_controller_and_the_pod_stays(machine: Machine) -> None:
    machine.bind(server())
    machine.step()
    until(lambda: machine.phase() == "Running")
    machine.processes.stop()
    assert machine.phase() == "Running", "the next controller runs it again"
    assert machine.identity.closed
    here = addresses.loopback(addresses.of_pod(server()))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(here), 8080), timeout=1)


def test_nothing_is_started_while_the_table_is_empty(machine: Machine) -> None:
    idle = Machine(machine.instance, Images([]))
    idle.bind(server())
    idle.step()
    idle.step(live=False)
    assert idle.processes.backend("10.0.0.4", 10250) is None
    assert idle.phase() == "Pending"
    assert not (machine.instance.folder / "pods").exists()
    idle.processes.stop()
    assert not idle.identity.closed, "it was never connected"


def test_the_environment_of_an_image_is_created_from_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twin.kubernetes.processes import environments

    for name in ("pyproject.toml", "uv.lock"):
        (tmp_path / name).write_text("")
    calls: list[list[str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        folder = Path(options["env"]["UV_PROJECT_ENVIRONMENT"])
        folder.mkdir(parents=True, exist_ok=True)
        failed = len(calls) == 1
        return subprocess.CompletedProcess(command, int(failed), "", "error: no network\n")

    monkeypatch.setattr(environments, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(environments.subprocess, "run", run)
    with pytest.raises(environments.ImageError, match="exit status 1: error: no network"):
        environments.commands(tmp_path)
    place = environments.commands(tmp_path)
    assert environments.commands(tmp_path) == place
    assert len(calls) == 2, "one that is complete is not created again"
    assert "--frozen" in calls[0]
    assert environments.commands(None) == Path(sys.executable).parent
