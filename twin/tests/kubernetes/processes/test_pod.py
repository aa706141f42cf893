"""Pods as processes, against an API server in memory."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from twin.kubernetes.api import Object
from twin.kubernetes.processes import container, launch, process
from twin.kubernetes.processes import pod as pods
from twin.kubernetes.processes.images import Image, Images
from twin.kubernetes.processes.launch import Launcher, Machine
from twin.kubernetes.processes.pod import Pod
from twin.kubernetes.processes.sources import Sources
from twin.kubernetes.processes.volumes import Volumes
from twin.tests.kubernetes.builders import ago, pod
from twin.tests.kubernetes.fakes import FakeKube

IMAGES = Images([Image("tool", Path(__file__).parent)])
FOREVER = "sleep 60"


def shell(name: str, script: str, **spec: Any) -> Object:
    """Return a container with a shell, and with the volume of all containers at /shared."""
    shared = [{"name": "shared", "mountPath": "/shared"}]
    command = ["sh", "-c", script]
    return {
        "name": name,
        "image": "registry.example/tool:1",
        "command": command,
        "volumeMounts": shared,
        **spec,
    }


class Runs:
    """Starts Pods, and reads their status from the API server."""

    def __init__(self, folder: Path) -> None:
        self.kube = FakeKube()
        self.folder = folder
        self.started: list[Pod] = []
        self.ending = False

    def start(self, *main: Object, before: Object | None = None, **spec: Any) -> Pod:
        body = pod(node="node-1", **spec)
        body["spec"]["containers"] = list(main)
        body["spec"].setdefault("volumes", []).append({"name": "shared", "emptyDir": {}})
        body["status"] = before or {"phase": "Pending"}
        return self.run(body)

    def run(self, body: Object) -> Pod:
        kube: Any = self.kube
        self.kube.objects["/api/v1/namespaces/default/pods/train"] = body
        sources = Sources(kube, body, {})
        folder = self.folder / "pods" / body["metadata"]["uid"]
        volumes = Volumes(sources, folder, self.folder / "claims")
        machine = Machine(("127.0.0.1", 6443), self.folder / "network.json", {})
        launcher = Launcher(machine, sources, volumes, folder, "127.100.0.1", list, {})
        started = Pod(body, kube, IMAGES, "10.0.0.4", 100.0, volumes, launcher, lambda: self.ending)
        self.started.append(started)
        started.start()
        return started

    @property
    def status(self) -> Object:
        return self.kube.objects["/api/v1/namespaces/default/pods/train"]["status"]

    def state(self, name: str, kind: str = "containerStatuses") -> Object:
        states = [state for state in self.status.get(kind, ()) if state["name"] == name]
        return states[0] if states else {"state": {}, "restartCount": 0}

    def log(self, name: str, restarts: int = 0) -> list[str]:
        file = self.started[-1].launcher.log(name, restarts)
        return [line.split(" ", 3)[3] for line in file.read_text().splitlines()]

    @property
    def shared(self) -> Path:
        """The folder that is /shared in all containers."""
        return self.started[-1].launcher.folder / "volumes" / "shared"

    def order(self) -> list[str]:
        """Return the lines of the file to which containers of a test append."""
        file = self.shared / "order"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.setattr(pods, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(pods, "MOUNT_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(launch, "HOOK", tmp_path)
    runs = Runs(tmp_path)
    yield runs
    for started in runs.started:
        started.gone.set()
        started.join(10)


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)


def test_a_pod_succeeds_with_its_container(runs: Runs) -> None:
    runs.start(shell("main", "echo hello; echo oops >&2; pwd"), restartPolicy="Never")
    until(lambda: runs.status["phase"] == "Succeeded")
    state = runs.state("main")
    assert state["state"]["terminated"]["exitCode"] == 0
    assert state["state"]["terminated"]["reason"] == "Completed"
    assert state["containerID"] == "process://uid-default-train/main/0"
    assert sorted(runs.log("main")) == sorted(["hello", "oops", str(Path(__file__).parent)])
    assert runs.status["podIP"].startswith("100.")
    assert runs.status["hostIP"] == "10.0.0.4"


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [("exit 3", 3, "Error"), ("kill -9 $$$$", 137, "Error"), ("kill -15 $$$$", 143, "Error")],
)
def test_the_exit_code_is_the_process(runs: Runs, script: str, code: int, reason: str) -> None:
    runs.start(shell("main", script), restartPolicy="Never")
    until(lambda: runs.status["phase"] == "Failed")
    terminated = runs.state("main")["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (code, reason)


def test_a_command_that_does_not_exist_fails_the_container(runs: Runs) -> None:
    runs.start({**shell("main", ""), "command": ["no-such-command"]}, restartPolicy="Never")
    until(lambda: runs.status["phase"] == "Failed")
    terminated = runs.state("main")["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (128, "StartError")
    assert "no-such-command" in terminated["message"]


def test_on_failure_a_container_is_restarted_after_a_back_off(runs: Runs) -> None:
    script = "echo run >> /shared/order; test $(wc -l < /shared/order) -ge 3"
    runs.start(shell("main", script), restartPolicy="OnFailure")
    until(lambda: runs.status["phase"] == "Succeeded")
    assert runs.order() == ["run", "run", "run"]
    state = runs.state("main")
    assert state["restartCount"] == 2
    assert state["lastState"]["terminated"]["exitCode"] == 1
    assert "BackOff" in [reason for reason, _ in runs.kube.events()], "the second restart waits"


def test_a_container_that_always_restarts_never_finishes_the_pod(runs: Runs) -> None:
    runs.start(shell("main", "exit 0"))
    until(lambda: runs.state("main")["restartCount"] >= 2)
    assert runs.status["phase"] == "Running"


def test_init_containers_and_sidecars_run_in_order(runs: Runs) -> None:
    note = lambda word: f"echo {word} >> /shared/order"  # noqa: E731
    ending = f"trap '{note('sidecar-ends')}; exit 0' TERM; {note('sidecar')}; touch /shared/up; "
    sidecar = shell("sidecar", f"{ending} while :; do sleep 0.05; done", restartPolicy="Always")
    sidecar["startupProbe"] = {
        "exec": {"command": ["test", "-e", "/shared/up"]},
        "periodSeconds": 1,
        "failureThreshold": 30,
    }
    runs.start(
        shell("main", f"{note('main')}; sleep 0.2; {note('main-ends')}"),
        initContainers=[shell("first", note("first")), sidecar, shell("second", note("second"))],
        restartPolicy="Never",
    )
    until(lambda: runs.status["phase"] == "Succeeded")
    assert runs.order() == ["first", "sidecar", "second", "main", "main-ends", "sidecar-ends"]
    assert runs.state("first", "initContainerStatuses")["ready"]


def test_a_failed_init_container_fails_a_pod_that_never_restarts(runs: Runs) -> None:
    runs.start(shell("main", "true"), initContainers=[shell("init", "exit 2")], restartPolicy="Never")
    until(lambda: runs.status["phase"] == "Failed")
    assert "waiting" in runs.state("main")["state"], "its main container was never started"


def test_a_container_of_another_image_is_simulated_and_ends_with_the_pod(runs: Runs) -> None:
    other = {"name": "proxy", "image": "registry.example/proxy:1"}
    init = {"name": "setup", "image": "registry.example/setup:1"}
    runs.start(shell("main", "sleep 0.2"), other, initContainers=[init], restartPolicy="Never")
    until(lambda: "running" in runs.state("proxy")["state"])
    until(lambda: runs.status["phase"] == "Succeeded")
    assert runs.state("proxy")["state"]["terminated"]["exitCode"] == 0


@pytest.mark.parametrize(("policy", "phase"), [("Always", "Running"), ("Never", "Succeeded")])
def test_without_a_process_a_server_runs_on_and_a_job_ends(runs: Runs, policy: str, phase: str) -> None:
    # As the Pod of a program that the twin knows, and does not run.
    runs.start({"name": "main", "image": "registry.example/pushgateway:1"}, restartPolicy=policy)
    until(lambda: runs.status["phase"] == phase)
    time.sleep(10 * pods.TICK_SECONDS)
    assert runs.status["phase"] == phase
    assert runs.state("main")["restartCount"] == 0


def test_a_readiness_probe_decides_the_ready_condition(runs: Runs) -> None:
    probe = {"exec": {"command": ["test", "-e", "/shared/ready"]}, "periodSeconds": 1}
    runs.start(shell("main", FOREVER, readinessProbe=probe))

    def ready() -> str:
        conditions = {entry["type"]: entry["status"] for entry in runs.status.get("conditions", ())}
        return conditions.get("Ready", "")

    until(lambda: runs.status["phase"] == "Running")
    assert ready() == "False"
    (runs.shared / "ready").touch()
    until(lambda: ready() == "True")


def test_a_failed_liveness_probe_restarts_the_container(runs: Runs) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
    runs.start(shell("main", FOREVER, livenessProbe=probe))
    until(lambda: runs.state("main")["restartCount"] == 1)
    assert runs.state("main")["lastState"]["terminated"]["exitCode"] == 143
    assert ("Unhealthy", "Liveness probe failed") in runs.kube.events()


def test_a_deleted_pod_is_terminated_within_its_grace_period(runs: Runs) -> None:
    script = "trap 'echo term >> /shared/order; exit 0' TERM; touch /shared/up; while :; do sleep 0.05; done"
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> /shared/order"]}}}
    started = runs.start(shell("main", script, lifecycle=hook))
    until((runs.shared / "up").exists)
    metadata = {**started.pod["metadata"], "deletionTimestamp": ago(), "deletionGracePeriodSeconds": 20}
    started.pod = {**started.pod, "metadata": metadata}
    until(lambda: "/api/v1/namespaces/default/pods/train" not in runs.kube.objects)
    assert runs.order() == ["hook", "term"]


def test_a_container_that_ignores_sigterm_is_killed_after_the_grace_period(
    runs: Runs, tmp_path: Path
) -> None:
    started = runs.start(shell("main", "trap '' TERM; touch /shared/up; while :; do sleep 0.05; done"))
    until((runs.shared / "up").exists)
    metadata = {**started.pod["metadata"], "deletionTimestamp": ago(), "deletionGracePeriodSeconds": 1}
    began = time.monotonic()
    started.pod = {**started.pod, "metadata": metadata}
    until(lambda: "/api/v1/namespaces/default/pods/train" not in runs.kube.objects)
    assert time.monotonic() - began >= 1


def test_the_end_of_the_twin_is_no_failure_of_a_pod(runs: Runs) -> None:
    started = runs.start(shell("main", f"touch /shared/up; {FOREVER}"), restartPolicy="Never")
    main = started.container("main")
    assert main is not None
    # The program may be faster than the thread that has started it.
    until(lambda: main.process is not None and (runs.shared / "up").exists())
    runs.ending = True
    assert main.process is not None
    main.process.terminate()
    started.join(10)
    assert main.process.exit_code() is not None
    assert runs.status["phase"] == "Running", "the next start of the twin decides"


def test_no_process_of_a_pod_outlives_it(runs: Runs) -> None:
    # One in a separate session, as torchrun starts its workers.
    child = f'{sys.executable} -c \'import os, time; os.setsid(); open("/shared/up", "w"); time.sleep(60)\''
    started = runs.start(shell("main", f"{child} & {FOREVER}"))
    until((runs.shared / "up").exists)
    identifier = f"{started.uid}/main"
    marked = lambda: list(process._marked(identifier))  # noqa: E731 # pyright: ignore[reportPrivateUsage]
    assert len(marked()) >= 2
    started.gone.set()
    started.join(10)
    until(lambda: not [child for child in marked() if child.status() != psutil.STATUS_ZOMBIE])


def test_a_file_of_the_repository_is_found_where_the_repository_is_below_tmp(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = "/tmp/clone"  # noqa: S108 - is not created
    monkeypatch.setattr(launch, "ROOT", Path(clone))
    runs.start(shell("main", f"echo {clone}/file {clone}d"), restartPolicy="Never")
    until(lambda: runs.status["phase"] == "Succeeded")
    temporary = runs.started[-1].launcher.folder / "tmp" / "main"
    assert runs.log("main") == [f"{clone}/file {temporary}/cloned"]


def test_a_pod_waits_for_its_volumes(runs: Runs) -> None:
    volume = {"name": "settings", "configMap": {"name": "settings"}}
    mount = [{"name": "settings", "mountPath": "/etc/app"}]
    started = runs.start(
        shell("main", "cat /etc/app/key", volumeMounts=mount), volumes=[volume], restartPolicy="Never"
    )
    until(lambda: "FailedMount" in [reason for reason, _ in runs.kube.events()])
    assert runs.status["phase"] == "Pending"
    where = "/api/v1/namespaces/default/configmaps/settings"
    runs.kube.objects[where] = {"metadata": {"name": "settings"}, "data": {"key": "value"}}
    until(lambda: runs.status["phase"] == "Succeeded")
    assert runs.log("main") == ["value"]
    assert started.launcher.folder.stat().st_mode & 0o777 == 0o700


def test_a_container_waits_for_its_variables(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "RETRY", 0.1)
    source = {"configMapKeyRef": {"name": "settings", "key": "key"}}
    runs.start(shell("main", "echo $A", env=[{"name": "A", "valueFrom": source}]), restartPolicy="Never")
    until(lambda: "CreateContainerConfigError" in str(runs.state("main")["state"]))
    where = "/api/v1/namespaces/default/configmaps/settings"
    runs.kube.objects[where] = {"metadata": {"name": "settings"}, "data": {"key": "value"}}
    until(lambda: runs.status["phase"] == "Succeeded")
    assert runs.log("main") == ["value"]


def test_the_termination_message_is_in_the_status(runs: Runs) -> None:
    written = shell("written", "echo done > /dev/termination-log")
    logged = shell("logged", "echo broken; exit 1", terminationMessagePolicy="FallbackToLogsOnError")
    runs.start(written, logged, restartPolicy="Never")
    until(lambda: runs.status["phase"] == "Failed")
    assert runs.state("written")["state"]["terminated"]["message"] == "done\n"
    assert runs.state("logged")["state"]["terminated"]["message"] == "broken\n"


def test_a_pod_over_its_deadline_fails(runs: Runs) -> None:
    before = {"phase": "Pending", "startTime": ago(10)}
    runs.start(shell("main", FOREVER), activeDeadlineSeconds=5, before=before, restartPolicy="Never")
    until(lambda: runs.status["phase"] == "Failed")
    assert runs.status["reason"] == "DeadlineExceeded"


@pytest.mark.parametrize(("policy", "phase"), [("Never", "Failed"), ("Always", "Running")])
def test_a_container_that_ran_when_the_twin_was_stopped_is_lost(runs: Runs, policy: str, phase: str) -> None:
    running = {"name": "main", "restartCount": 1, "state": {"running": {"startedAt": ago(60)}}}
    before = {"phase": "Running", "containerStatuses": [running]}
    runs.start(shell("main", FOREVER), before=before, restartPolicy=policy)
    until(lambda: runs.status["phase"] == phase and "podIP" in runs.status)
    if policy == "Always":
        until(lambda: "running" in runs.state("main")["state"])
        assert runs.state("main")["restartCount"] == 2
        assert runs.state("main")["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"


def test_a_program_finds_its_mounts_and_the_text_of_another_container(runs: Runs) -> None:
    """Argo's executor: it has paths as constants, and the template of the container next to it."""
    template = {"name": "ARGO_TEMPLATE", "value": '{"path": "/tmp/score"}'}
    script = 'echo "$AIPLATFORM_TWIN_MOUNTS"; echo "$ARGO_TEMPLATE"'
    runs.start(shell("main", script, env=[template]), restartPolicy="Never")
    until(lambda: runs.status["phase"] == "Succeeded")
    mounts, text = runs.log("main")
    assert json.loads(mounts)["/shared"] == str(runs.shared)
    assert text == '{"path": "/tmp/score"}', "a path of the other container, which has another /tmp"


def test_an_init_container_writes_the_file_that_another_one_mounts(runs: Runs) -> None:
    mount = {"name": "shared", "mountPath": "/data/model", "subPath": "model"}
    initial = shell("init", "echo 42 > /shared/model")
    main = shell("main", "cat /data/model", volumeMounts=[mount])
    runs.start(main, initContainers=[initial], restartPolicy="Never")
    until(lambda: runs.status["phase"] in ("Succeeded", "Failed"))
    assert runs.log("main") == ["42"], "no folder was there before"
