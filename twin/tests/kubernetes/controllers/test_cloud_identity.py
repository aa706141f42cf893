"""A controller that calls the cloud: with its ServiceAccount's identity, and on separate ports."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from twin import instances, processes
from twin.kubernetes.controllers import process
from twin.kubernetes.controllers.process import ControllerProcess
from twin.kubernetes.controllers.programs import PROGRAMS
from twin.kubernetes.controllers.selection import Build
from twin.tests.kubernetes.builders import pod
from twin.tests.kubernetes.fakes import FakeKube
from twin.tests.waiting import eventually

KARPENTER = PROGRAMS["karpenter"]
PROGRAM = f"""\
    #!{sys.executable} -S
    import json, os, pathlib, time
    pathlib.Path("seen.new").write_text(json.dumps(dict(os.environ)))
    pathlib.Path("seen.new").rename("seen.json")
    time.sleep(60)
"""
LIMITS = {"resourceFieldRef": {"resource": "limits.memory", "divisor": "0"}}


class Identity:
    """The cloud's part of a node, whose agent listens on a port."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port,)

    def extended(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add the variable with the path of the token."""
        (container,) = item["spec"]["containers"]
        env = [*container["env"], {"name": "TOKEN_FILE", "value": "/token"}]
        return {**item, "spec": {**item["spec"], "containers": [{**container, "env": env}]}}

    def variables(self, _: Mapping[str, Any]) -> dict[str, str]:
        """The address of the agent."""
        return {"AGENT": f"http://127.0.0.1:{self.port}"}

    def close(self) -> None:
        """Nothing listens."""


class Scene:
    """Karpenter's process, and its Pod."""

    def __init__(self, folder: Path) -> None:
        self.instance = instances.create("one")
        binary = folder / "karpenter"
        binary.write_text(textwrap.dedent(PROGRAM))
        binary.chmod(0o755)
        self.build = Build("karpenter", "1.14.1", str(binary))
        self.pod = pod("karpenter", namespace="kube-system", phase="Running", node="n")
        self.container = self.pod["spec"]["containers"][0]
        self.container |= {
            "name": "controller",
            "env": [
                {"name": "METRICS_PORT", "value": "8080"},
                {"name": "HEALTH_PROBE_PORT", "value": "8081"},
                {"name": "DISABLE_LEADER_ELECTION", "value": "false"},
                {"name": "MEMORY_LIMIT", "valueFrom": LIMITS},
            ],
            "resources": {"limits": {"memory": "1Gi"}},
        }
        self.process = self.controller(1)

    def controller(self, port: int) -> ControllerProcess:
        """The process as a controller process of the twin sees it whose agent has this port."""
        return ControllerProcess(self.instance, FakeKube(), KARPENTER, lambda: Identity(port))  # pyright: ignore[reportArgumentType]

    def seen(self) -> dict[str, str]:
        """The variables of the process that runs."""
        self.process.keep(self.build, self.pod, self.container)
        file = self.instance.folder / "controllers" / "karpenter" / "seen.json"
        eventually("its start", file.exists, 10)
        return json.loads(file.read_text())


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(process.control_plane, "certificate_authority", lambda _: "")
    created = Scene(tmp_path)
    yield created
    processes.stop([created.process.daemon], grace_seconds=0)


def test_controller_has_the_identity_of_its_pod_and_ports_of_its_own(scene: Scene) -> None:
    seen = scene.seen()
    assert seen["AGENT"] == "http://127.0.0.1:1"
    assert seen["TOKEN_FILE"] == "/token", "what the webhook adds to the container"
    assert seen["DISABLE_LEADER_ELECTION"] == "true", "there is one process, whatever the container says"
    assert seen["MEMORY_LIMIT"] == str(2**30)
    ports = scene.process.ports
    assert {seen["METRICS_PORT"], seen["HEALTH_PROBE_PORT"]} == {str(port) for port in ports.values()}
    assert set(ports) == {8080, 8081}, "the probe of the Pod finds its port"


def test_controller_keeps_running_under_another_supervisor_while_its_agent_stays(scene: Scene) -> None:
    scene.seen()
    before = scene.process.daemon.process()
    scene.process = scene.controller(1)
    scene.seen()
    assert scene.process.daemon.process() == before


def test_controller_is_restarted_where_its_agent_has_another_address(scene: Scene) -> None:
    scene.seen()
    before = scene.process.daemon.process()
    scene.process = scene.controller(2)
    assert scene.seen()["AGENT"] == "http://127.0.0.1:2", "the old one answers no more"
    assert scene.process.daemon.process() != before
