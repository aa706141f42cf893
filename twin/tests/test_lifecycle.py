"""Starting, stopping and removing a twin, with stand-ins for its processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from twin import code_fingerprint, instances, lifecycle, processes
from twin.instances import Instance, InstanceError
from twin.kubernetes import control_plane
from twin.kubernetes.controllers import selection
from twin.processes import Daemon, ProcessError
from twin.toolchain.progress import Silent, Step

SERVER = (
    "import http.server, sys\n"
    "class Handler(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self): self.send_response(200); self.end_headers()\n"
    "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()\n"
)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    created = instances.create("one")
    yield created
    processes.stop([Daemon(created.folder, name) for name in lifecycle.PROCESSES], grace_seconds=0)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A toolchain and a control plane that cost nothing."""
    paths = {name: tmp_path / name for name in ("kubectl", "controlplane", "pulumi", "kubernetes-provider")}
    for file in paths.values():
        file.symlink_to("/bin/sleep")

    def ensure(*_: Any, ready: Callable[[str, Path], None], **__: Any) -> dict[str, Path]:
        for name, path in paths.items():
            ready(name, path)
        return paths

    def stand_in(instance: Instance, module: str) -> list[str]:
        port = instance.ports["cloud" if module == "twin.aws.server" else "webhook"]
        return [sys.executable, "-S", "-c", SERVER, str(port)]

    def control_plane_stand_in(instance: Instance, binary: Path, given_up: threading.Event) -> None:
        for daemon in control_plane.daemons(instance).values():
            processes.start(daemon, [str(binary), "60"], env=dict(os.environ))

    monkeypatch.setattr(lifecycle.build, "ensure", ensure)
    monkeypatch.setattr(lifecycle, "_python", stand_in)
    monkeypatch.setattr(control_plane, "start", control_plane_stand_in)
    return paths


def test_a_twin_starts_is_complete_and_stops_altogether(instance: Instance, tools: dict[str, Path]) -> None:
    lifecycle.start(instance)
    state = lifecycle.status(instance)
    assert state.running, state.word
    pids = {process.pid for process in state.processes}
    lifecycle.start(instance)
    assert {process.pid for process in lifecycle.status(instance).processes} == pids, (
        "what runs is left alone"
    )
    assert set(lifecycle.stop(instance)) == set(lifecycle.PROCESSES)
    assert lifecycle.status(instance).stopped
    assert lifecycle.stop(instance) == []


def test_start_repairs_what_was_killed_and_leaves_the_rest(
    instance: Instance, tools: dict[str, Path]
) -> None:
    lifecycle.start(instance)
    before = {process.name: process.pid for process in lifecycle.status(instance).processes}
    for name in ("cloud", "etcd"):
        victim = Daemon(instance.folder, name).process()
        assert victim is not None
        victim.kill()
    while lifecycle.status(instance).word != "partly: no cloud, etcd":
        time.sleep(0.02)
    lifecycle.start(instance)
    state = lifecycle.status(instance)
    assert state.running
    running = {process.name for process in state.processes if process.pid == before[process.name]}
    assert running == set(lifecycle.PROCESSES) - {"cloud", "etcd"}


def test_selected_controllers_are_built_and_stay_selected(instance: Instance, tools: dict[str, Path]) -> None:
    tools["kueue"] = tools["kubectl"].with_name("kueue")
    lifecycle.start(instance)
    assert selection.read(instance) == {}
    lifecycle.start(instance, controllers=["kueue"])
    build = selection.Build("kueue", lifecycle.read_versions().kueue, str(tools["kueue"]))
    assert selection.read(instance) == {"kueue": build}
    lifecycle.start(instance)
    assert selection.read(instance) == {"kueue": build}, "the next start needs no option"
    lifecycle.start(instance, controllers=[])
    assert selection.read(instance) == {}


def test_processes_of_controllers_are_listed_and_stop_with_the_twin(
    instance: Instance, tools: dict[str, Path]
) -> None:
    lifecycle.start(instance)
    daemon = Daemon(instance.folder, "kueue")
    processes.start(daemon, ["/bin/sleep", "60"], env=dict(os.environ))
    state = lifecycle.status(instance)
    assert [process.name for process in state.controllers] == ["kueue"]
    assert "kueue" in lifecycle.stop(instance)
    assert not daemon.alive
    assert lifecycle.status(instance).controllers == ()


class Recorder:
    """A progress that keeps the names of the steps and what is said."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.said: list[str] = []

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Note its name."""
        self.steps.append(name)
        with Silent().step(name) as step:
            yield step

    def say(self, text: str) -> None:
        """Keep it."""
        self.said.append(text)


def _pids(instance: Instance) -> dict[str, int | None]:
    return {process.name: process.pid for process in lifecycle.status(instance).processes}


def test_processes_with_the_code_of_before_a_change_are_restarted_and_it_is_said(
    instance: Instance, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle.start(instance)
    before = _pids(instance)
    monkeypatch.setattr(code_fingerprint, "fingerprint", lambda: "of after a git pull")
    progress = Recorder()
    lifecycle.start(instance, progress)
    after = _pids(instance)
    assert {name for name in before if before[name] != after[name]} == {"cloud", "controller"}
    assert "aws front, restarted with the twin's new code" in progress.steps
    lifecycle.start(instance)
    assert _pids(instance) == after, "they run the code of now"


def test_a_twin_that_its_new_code_cannot_remember_is_told_with_what_to_do(
    instance: Instance, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle.start(instance)
    monkeypatch.setattr(lifecycle, "_python", lambda *_: ["sh", "-c", "echo no such subnet; exit 1"])
    lifecycle.stop(instance)
    with pytest.raises(ProcessError, match=r"(?s)no such subnet.*The whole log: \S*$"):
        lifecycle.start(instance)
    monkeypatch.setattr(code_fingerprint, "fingerprint", lambda: "of after a git pull")
    for _ in range(2):
        with pytest.raises(ProcessError, match=r"(?s)no such subnet.*code has changed.*reset --name one"):
            lifecycle.start(instance)


def test_a_start_says_which_calls_give_other_ids_than_before(
    instance: Instance, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    health = json.dumps({"renamed": ["1 ec2:CreateVpc: vpc-1 was, vpc-2 is"]})
    reporting = SERVER.replace(
        "self.end_headers()", f"self.end_headers(); self.wfile.write({health!r}.encode())"
    )
    monkeypatch.setitem(globals(), "SERVER", reporting)
    progress = Recorder()
    lifecycle.start(instance, progress)
    [said] = progress.said
    assert "1 ec2:CreateVpc: vpc-1 was, vpc-2 is" in said
    assert "twin reset --name one" in said
    lifecycle.start(instance, progress)
    assert len(progress.said) == 1, "once, by the start that made the calls again"


def test_a_control_plane_of_another_build_is_restarted(
    instance: Instance, tools: dict[str, Path], tmp_path: Path
) -> None:
    lifecycle.start(instance)
    before = _pids(instance)
    tools["controlplane"] = tmp_path / "newer"
    tools["controlplane"].symlink_to("/bin/sleep")
    progress = Recorder()
    lifecycle.start(instance, progress)
    after = _pids(instance)
    assert all(before[name] != after[name] for name in control_plane.PROCESSES)
    assert "Kubernetes control plane, restarted with its new version" in progress.steps
    assert before["cloud"] == after["cloud"]


def test_a_port_that_another_program_took_is_told_with_what_to_do(
    instance: Instance, tools: dict[str, Path]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", instance.ports["cloud"]))
        taken.listen()
        with pytest.raises(ProcessError, match=r"port \d+ of cloud in twin 'one'.*reset --name one"):
            lifecycle.start(instance)


def test_a_start_on_a_full_disk_is_one_line_and_starts_no_process(
    instance: Instance, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(instance.folder)._replace(free=3 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    message = f"^{instance.folder}: the disk has 3 MiB free; expected at least 128 MiB$"
    with pytest.raises(InstanceError, match=message):
        lifecycle.start(instance)
    assert lifecycle.status(instance).stopped


def test_a_start_with_a_damaged_file_starts_no_process(instance: Instance, tools: dict[str, Path]) -> None:
    lifecycle.start(instance)
    lifecycle.stop(instance)
    passphrase = instance.folder / "passphrase"
    passphrase.unlink()
    with pytest.raises(InstanceError, match=r"passphrase is damaged .*missing.*twin reset --name one"):
        lifecycle.start(instance)
    assert lifecycle.status(instance).stopped


def test_a_start_that_failed_does_nothing_any_more(
    instance: Instance, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def slow(instance: Instance, binary: Path, given_up: threading.Event) -> None:
        begun.set()
        assert given_up.wait(30), "the failure of a part must be reported to the others"
        # What is under way is not cut short: a certificate that is being written, say.
        time.sleep(0.1)
        (instance.folder / "late").write_text("late")

    def fails(*_: Any) -> None:
        assert begun.wait(30)
        raise ProcessError("no such port")

    monkeypatch.setattr(control_plane, "start", slow)
    monkeypatch.setattr(lifecycle, "_start_cloud", fails)
    with pytest.raises(ProcessError, match="no such port"):
        lifecycle.start(instance)
    assert (instance.folder / "late").exists(), (
        "it would write into an instance that a reset removes meanwhile"
    )
    going_on = [thread.name for thread in threading.enumerate() if thread.name == lifecycle.TASK_NAME]
    assert not going_on, "no part of it goes on"


def test_a_reset_says_what_could_not_be_removed_and_who_works_there(
    instance: Instance, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    immutable = instance.folder / "state" / "kept"
    immutable.parent.mkdir(exist_ok=True)
    immutable.write_text("")
    unlink = os.unlink

    def refuse(path: Any, **options: Any) -> None:
        if str(path).endswith("kept"):
            raise PermissionError(1, "Operation not permitted", str(path))
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", refuse)
    variables = {"AIPLATFORM_TWIN": "one", "PATH": f"{instance.bin}:{os.environ['PATH']}"}
    with subprocess.Popen(["/bin/sleep", "60"], env=variables) as engine:
        try:
            with pytest.raises(InstanceError) as caught:
                lifecycle.reset(instance)
        finally:
            engine.kill()
    assert f"{immutable}: Operation not permitted" in str(caught.value)
    assert f"pid {engine.pid} (sleep) works in this twin" in str(caught.value)
    assert instances.load("one") is None, "what is left counts as no instance"


def test_reset_removes_all_that_a_twin_knows_also_of_a_damaged_one(
    instance: Instance, tools: dict[str, Path]
) -> None:
    lifecycle.start(instance)
    (instance.folder / "instance.json").write_text("{")
    lifecycle.reset(Instance("one"))
    assert not instance.folder.exists()
    assert instances.load("one") is None
    lifecycle.reset(Instance("one"))
