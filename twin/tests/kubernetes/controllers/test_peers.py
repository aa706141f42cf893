"""A controller that calls another one: by the address of its process, and with the name of its Service. What
KEDA reads in a Pod and a process does not have: its namespace, and the API server."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from twin import instances, processes
from twin.kubernetes.controllers import process
from twin.kubernetes.controllers.process import ControllerProcess
from twin.kubernetes.controllers.programs import PROGRAMS
from twin.kubernetes.controllers.selection import Build
from twin.kubernetes.processes.sources import MissingSourceError
from twin.tests.kubernetes.builders import pod
from twin.tests.kubernetes.fakes import FakeKube
from twin.tests.waiting import eventually

PROGRAM = f"""\
    #!{sys.executable} -S
    import json, os, pathlib, sys, time
    pathlib.Path("environment.json").write_text(json.dumps(dict(os.environ)))
    pathlib.Path("seen.new").write_text(json.dumps(sys.argv[1:]))
    pathlib.Path("seen.new").rename("seen.json")
    time.sleep(60)
"""
SERVICE = "keda-operator.keda.svc.cluster.local:9666"


class Scene:
    """A process of KEDA, its adapter, and its Pod."""

    def __init__(self, folder: Path, name: str = "keda-adapter") -> None:
        instance = instances.create("one")
        self.folder = instance.folder / "controllers" / name
        binary = folder / name
        binary.write_text(textwrap.dedent(PROGRAM))
        binary.chmod(0o755)
        self.build = Build(name, "2.20.2", str(binary))
        self.pod = pod("adapter", namespace="keda", phase="Running", node="n")
        self.container = self.pod["spec"]["containers"][0]
        self.container |= {"name": "adapter", "args": [f"--metrics-service-address={SERVICE}", "--v=0"]}
        self.ports: dict[int, int] = {}
        program = replace(PROGRAMS[name], cloud=False)
        kube = FakeKube()
        self.process = ControllerProcess(instance, kube, program, None, lambda name: self.of(name))  # pyright: ignore[reportArgumentType]

    def of(self, name: str) -> dict[int, int]:
        """The ports of the other program."""
        assert name == "keda"
        return self.ports

    def seen(self) -> list[str]:
        """The arguments of the process that runs."""
        self.process.keep(self.build, self.pod, self.container)
        file = self.folder / "seen.json"
        eventually("its start", file.exists, 10)
        return json.loads(file.read_text())


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(process.control_plane, "certificate_authority", lambda _: "")
    created = Scene(tmp_path)
    yield created
    processes.stop([created.process.daemon], grace_seconds=0)


def test_a_controller_waits_for_the_one_that_it_calls(scene: Scene) -> None:
    with pytest.raises(MissingSourceError, match="does not listen on port 9666"):
        scene.process.keep(scene.build, scene.pod, scene.container)


def test_a_controller_calls_the_process_by_the_name_of_its_service(scene: Scene) -> None:
    scene.ports = {9666: 40001}
    words = scene.seen()
    assert "--metrics-service-address=127.0.0.1:40001" in words
    assert f"--metrics-service-grpc-authority={SERVICE}" in words, "its certificate is for this name"


def test_a_controller_is_restarted_where_the_other_one_has_another_address(scene: Scene) -> None:
    scene.ports = {9666: 40001}
    scene.seen()
    scene.ports = {9666: 40002}
    assert "--metrics-service-address=127.0.0.1:40002" in scene.seen()


def test_the_adapter_reaches_the_api_server_by_its_kubeconfig(scene: Scene) -> None:
    scene.ports = {9666: 40001}
    words = scene.seen()
    for use in ("lister", "authentication", "authorization"):
        assert f"--{use}-kubeconfig={scene.folder}/kubeconfig" in words


def test_the_operator_has_the_namespace_of_its_pod(scene: Scene, tmp_path: Path) -> None:
    operator = Scene(tmp_path, "keda")
    try:
        operator.seen()
        environment = json.loads((operator.folder / "environment.json").read_text())
    finally:
        processes.stop([operator.process.daemon], grace_seconds=0)
    assert environment["KEDA_CLUSTER_OBJECT_NAMESPACE"] == "keda"
