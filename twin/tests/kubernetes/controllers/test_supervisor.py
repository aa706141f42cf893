"""Controllers as processes, with a small program in the place of a controller."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from twin import instances, processes
from twin.instances import Instance
from twin.kubernetes.backends import Backends
from twin.kubernetes.controllers import process, reports, selection
from twin.kubernetes.controllers.selection import Build
from twin.kubernetes.controllers.supervisor import Supervisor, version_of
from twin.kubernetes.pods import ready
from twin.processes import Daemon
from twin.tests.kubernetes.builders import pod
from twin.tests.kubernetes.fakes import FakeKube, FakeMirror

NAMESPACE = "kueue-system"
IMAGE = "registry.k8s.io/kueue/kueue:v0.19.2@sha256:" + "0" * 64
PROGRAM = f"""\
    #!{sys.executable} -S
    import http.server, json, os, pathlib, sys
    (file,) = [word.partition("=")[2] for word in sys.argv if word.startswith("--config=")]
    configuration = json.loads(pathlib.Path(file).read_text())
    host, _, port = configuration["health"]["healthProbeBindAddress"].partition(":")
    pathlib.Path("seen.json").write_text(json.dumps(
        {{"arguments": sys.argv[1:], "environment": dict(os.environ), "configuration": configuration}}
    ))
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            is_ready = self.path == "/readyz" and not pathlib.Path("not-ready").exists()
            self.send_response(200 if is_ready else 500); self.end_headers()
        def log_message(self, *_): pass
    http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


class Mirror(FakeMirror):
    """A mirror that sees the Pods of the fake API server at once."""

    synced = True

    def __init__(self, kube: FakeKube) -> None:
        super().__init__()
        self._kube = kube

    def all(self, kind: str) -> list[Any]:
        """The Pods."""
        return [item for at, item in self._kube.objects.items() if f"/{kind}/" in at]


class Scene:
    """A twin with one selected controller, and its Pods."""

    def __init__(self, instance: Instance, binary: Path) -> None:
        self.instance = instance
        self.binary = binary
        self.kube: Any = FakeKube()
        for name in ("mutating", "validating"):
            where = f"/apis/admissionregistration.k8s.io/v1/{name}webhookconfigurations"
            self.kube.objects[where] = {"items": []}
        self.kube.objects["/apis/apiregistration.k8s.io/v1/apiservices"] = {"items": []}
        self.mirror: Any = Mirror(self.kube)
        self.backends = Backends(self.kube)
        self.supervisor = self.another()
        self.select("0.19.2")
        self.config("manager", health={"healthProbeBindAddress": ":8081"}, other="kept")

    def another(self) -> Supervisor:
        """A supervisor, as a new controller process of the twin has it."""
        return Supervisor(self.instance, self.kube, self.mirror, self.backends)

    def select(self, *versions: str) -> None:
        """Select the controller, or with no version none."""
        builds = [Build(f"kueue-{version}", version, str(self.binary), "kueue") for version in versions]
        selection.write(self.instance, builds)

    def config(self, name: str, **configuration: Any) -> None:
        """Write the ConfigMap with the configuration."""
        self.kube.objects[f"/api/v1/namespaces/{NAMESPACE}/configmaps/{name}"] = {
            "kind": "ConfigMap",
            "metadata": {"name": name},
            "data": {"manager.yaml": json.dumps(configuration)},
        }

    def pod(self, name: str, *, image: str = IMAGE, template: str = "1", age: float = 60) -> None:
        """A Pod as kwok leaves it: it runs and is not ready."""
        labels = {"control-plane": "manager", "pod-template-hash": template}
        item = pod(name, namespace=NAMESPACE, phase="Running", image=image, labels=labels, age=age, node="n")
        item["spec"]["volumes"] = [{"name": "config", "configMap": {"name": "manager"}}]
        item["spec"]["containers"][0] |= {
            "name": "manager",
            "args": ["--config=/manager.yaml", "--namespace=$(NAMESPACE)"],
            "env": [{"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
            "ports": [{"containerPort": 8081, "name": "health"}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "health"}},
            "volumeMounts": [{"name": "config", "mountPath": "/manager.yaml", "subPath": "manager.yaml"}],
        }
        item["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Ready", "status": "False"},
        ]
        item["status"]["containerStatuses"] = [{"name": "manager", "ready": False, "restartCount": 0}]
        self.kube.objects[self.at(name)] = item

    def at(self, name: str) -> str:
        """Where a Pod is."""
        return f"/api/v1/namespaces/{NAMESPACE}/pods/{name}"

    def ready(self, name: str = "a") -> bool:
        """Whether a Pod is ready."""
        return ready(self.kube.objects[self.at(name)])

    def restarts(self, name: str = "a") -> int:
        """How often the Pod's container was restarted."""
        (status,) = self.kube.objects[self.at(name)]["status"]["containerStatuses"]
        return status["restartCount"]

    @property
    def daemon(self) -> Daemon:
        """The process."""
        return Daemon(self.instance.folder, "kueue")

    @property
    def pid(self) -> int:
        """The process's pid; 0 where it does not run."""
        running = self.daemon.process()
        return running.pid if running else 0

    @property
    def state(self) -> str:
        """What is reported of it."""
        return " ".join(controller.state for controller in reports.read(self.instance).controllers)

    @property
    def seen(self) -> Mapping[str, Any]:
        """What the process has seen at its start."""
        return json.loads((self.instance.folder / "controllers" / "kueue" / "seen.json").read_text())

    def until(self, reached: Callable[[], bool]) -> None:
        """Step until something is reached."""
        end = time.monotonic() + 10
        while True:
            self.supervisor.step()
            if reached():
                return
            assert time.monotonic() < end, f"not within ten seconds: {reports.read(self.instance)}"
            time.sleep(0.02)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(process, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(process.control_plane, "certificate_authority", lambda _: "")
    binary = tmp_path / "kueue"
    binary.write_text(textwrap.dedent(PROGRAM))
    binary.chmod(0o755)
    created = Scene(instances.create("one"), binary)
    yield created
    processes.stop([created.daemon], grace_seconds=0)


def test_process_starts_with_its_pod_and_the_pod_is_ready_when_it_is(scene: Scene) -> None:
    scene.supervisor.step()
    assert (scene.state, scene.pid) == ("waits for its Pod", 0)
    scene.pod("a")
    scene.supervisor.step()
    assert scene.pid
    assert not scene.ready(), "it has not answered yet"
    scene.until(scene.ready)
    scene.until(lambda: scene.state == "ready")
    (scene.instance.folder / "controllers" / "kueue" / "not-ready").touch()
    scene.until(lambda: not scene.ready())


def test_process_gets_configuration_arguments_and_variables_of_its_container(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    folder = scene.instance.folder / "controllers" / "kueue"
    assert scene.seen["arguments"] == [
        f"--config={folder}/configuration.json",
        f"--namespace={NAMESPACE}",
        f"--kubeconfig={folder}/kubeconfig",
    ]
    environment = scene.seen["environment"]
    assert environment["NAMESPACE"] == NAMESPACE
    assert environment["KUBECONFIG"] == f"{folder}/kubeconfig"
    assert Path(environment["TMPDIR"]).is_relative_to(folder)
    assert set(environment) - {"LC_CTYPE", "PWD", "SHLVL", "_", "OLDPWD"} == {
        *("PATH", "HOME", "TMPDIR", "KUBECONFIG", "NAMESPACE", processes.MARK)
    }, "nothing of the twin's or the user's environment reaches it"
    assert scene.seen["configuration"]["other"] == "kept"


def test_pod_without_a_token_volume_gives_no_credential(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    kubeconfig = json.loads((scene.instance.folder / "controllers" / "kueue" / "kubeconfig").read_text())
    assert kubeconfig["users"] == [{"name": "pod", "user": {}}]


def test_killed_process_is_restarted_and_its_pod_is_not_ready_meanwhile(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    before = scene.pid
    psutil.Process(before).kill()
    scene.until(lambda: not scene.ready())
    scene.until(scene.ready)
    assert scene.pid not in (0, before)
    assert scene.restarts() == 1
    scene.supervisor = scene.another()
    scene.until(lambda: scene.state == "ready")
    assert scene.restarts() == 1, "another supervisor counts on"


def test_process_that_ends_again_and_again_is_started_at_growing_intervals(scene: Scene) -> None:
    scene.binary.write_text("#!/bin/sh\nexit 3\n")
    scene.pod("a")
    scene.until(lambda: scene.restarts() == 3)
    assert scene.state == "ended, is started again"
    assert not scene.ready()


def test_process_ends_with_its_pod_and_leaves_no_file(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    scene.kube.delete(scene.at("a"))
    scene.supervisor.step()
    assert scene.pid == 0
    assert not (scene.instance.folder / "controllers" / "kueue").exists()


@pytest.mark.parametrize("change", [{"deletionTimestamp": "now"}, {}])
def test_pod_that_ends_has_no_process(scene: Scene, change: Mapping[str, str]) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    item = scene.kube.objects[scene.at("a")]
    item["metadata"].update(change)
    if not change:
        item["status"]["phase"] = "Failed"
    scene.supervisor.step()
    assert scene.pid == 0


def test_pods_of_one_template_share_a_process(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    before = scene.pid
    scene.pod("b", age=1)
    scene.until(lambda: scene.ready("b"))
    assert scene.pid == before, "a second replica restarts nothing"
    scene.kube.delete(scene.at("a"))
    scene.until(lambda: scene.pid not in (0, before) and scene.ready("b"))


def test_new_template_restarts_the_process_with_its_configuration(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    scene.config("manager", health={"healthProbeBindAddress": ":8081"}, other="new")
    scene.supervisor.step()
    assert scene.seen["configuration"]["other"] == "kept", "a container keeps its file until it restarts"
    scene.pod("b", template="2", age=1)
    scene.until(lambda: scene.ready("b"))
    assert scene.seen["configuration"]["other"] == "new"


def test_process_outlives_the_supervisor_and_is_taken_over(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    before = scene.pid
    scene.supervisor = scene.another()
    scene.until(lambda: scene.state == "ready")
    assert scene.pid == before


def test_pod_whose_controller_is_not_selected_is_simulated(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    scene.select()
    scene.supervisor.step()
    assert scene.pid == 0
    assert scene.ready()
    assert reports.read(scene.instance).controllers == ()


def test_pod_gets_the_version_of_its_image_of_those_that_are_selected(scene: Scene) -> None:
    older = scene.binary.with_name("older")
    older.write_text(scene.binary.read_text())
    older.chmod(0o755)
    builds = [Build("kueue", "0.19.2", str(scene.binary)), Build("previous", "0.18.4", str(older), "kueue")]
    selection.write(scene.instance, builds)
    scene.pod("a", image="registry.example/kueue/kueue:v0.18.4")
    scene.until(scene.ready)
    before = scene.daemon.process()
    assert before is not None
    assert str(older) in before.cmdline()
    scene.pod("b", template="2", age=1)
    scene.until(lambda: scene.pid not in (0, before.pid) and scene.ready("b"))
    after = scene.daemon.process()
    assert after is not None
    assert str(scene.binary) in after.cmdline(), "the newest template has the catalog's version"


def test_image_of_another_version_is_not_run_and_the_reason_is_reported(scene: Scene) -> None:
    scene.pod("a", image="registry.k8s.io/kueue/kueue:v0.18.0")
    scene.supervisor.step()
    assert scene.pid == 0
    assert scene.state == "does not run: its image has version 0.18.0, the twin has 0.19.2"
    assert scene.ready(), "it is simulated as other Pods are"


def test_container_that_cannot_be_mounted_waits(scene: Scene) -> None:
    scene.kube.delete(f"/api/v1/namespaces/{NAMESPACE}/configmaps/manager")
    scene.pod("a")
    scene.supervisor.step()
    assert scene.state == 'waits: configmap "manager" not found'
    assert not scene.ready()
    scene.config("manager", health={"healthProbeBindAddress": ":8081"})
    scene.until(scene.ready)


def test_service_of_the_pods_reaches_the_process(scene: Scene) -> None:
    spec = {"selector": {"control-plane": "manager"}, "ports": [{"port": 80, "targetPort": "health"}]}
    service = {"metadata": {"name": "hooks", "namespace": NAMESPACE}, "spec": spec}
    scene.kube.objects[f"/api/v1/namespaces/{NAMESPACE}/services/hooks"] = service
    scene.pod("a")
    scene.until(scene.ready)
    assert not scene.backends.is_absent(NAMESPACE, "hooks")
    scene.select()
    scene.supervisor.step()
    assert scene.backends.is_absent(NAMESPACE, "hooks")


def test_process_listens_on_loopback_only(scene: Scene) -> None:
    scene.pod("a")
    scene.until(scene.ready)
    listening = psutil.Process(scene.pid).net_connections("inet")
    ours = {entry.laddr.ip for entry in listening if entry.status == psutil.CONN_LISTEN}
    assert ours == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("image", "version"),
    [(IMAGE, "0.19.2"), ("localhost:5000/kueue:v1", "1"), ("localhost:5000/kueue", ""), ("a@sha256:0", "")],
)
def test_version_of_an_image_is_in_its_tag(image: str, version: str) -> None:
    assert version_of(image) == version


def test_report_is_private_and_survives_damage(scene: Scene) -> None:
    scene.supervisor.step()
    file = scene.instance.folder / "run" / "controllers.json"
    assert oct(os.stat(file).st_mode & 0o777) == "0o600"  # noqa: PTH116
    file.write_text("{")
    assert reports.read(scene.instance) == reports.Report()
