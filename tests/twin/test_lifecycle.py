"""Starting, stopping and removing a twin, with stand-ins for its processes."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from twin import lifecycle, processes
from twin import world as worlds
from twin.kubernetes import control_plane
from twin.processes import Daemon, ProcessError
from twin.world import World

SERVER = (
    "import http.server, sys\n"
    "class Handler(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self): self.send_response(200); self.end_headers()\n"
    "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()\n"
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    made = worlds.create("one")
    yield made
    processes.stop([Daemon(made.folder, name) for name in lifecycle.PROCESSES], grace_seconds=0)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A toolchain and a control plane that cost nothing."""
    made = {name: tmp_path / name for name in ("kubectl", "controlplane", "pulumi", "kubernetes-provider")}
    for file in made.values():
        file.touch()

    def ensure(*_: Any, ready: Callable[[str, Path], None], **__: Any) -> dict[str, Path]:
        for name, path in made.items():
            ready(name, path)
        return made

    def stand_in(world: World, name: str, module: str) -> None:
        port = world.ports[lifecycle.PORT_OF.get(name, name)]
        lifecycle._check_port(world, Daemon(world.folder, name), lifecycle.PORT_OF.get(name, name))
        command = [sys.executable, "-S", "-c", SERVER, str(port)]
        processes.start(Daemon(world.folder, name), command, env=dict(os.environ))

    def control_plane_stand_in(world: World, binary: Path | None = None) -> None:
        for daemon in control_plane.daemons(world).values():
            processes.start(daemon, ["sleep", "60"], env=dict(os.environ))

    monkeypatch.setattr(lifecycle.build, "ensure", ensure)
    monkeypatch.setattr(lifecycle, "_start_python", stand_in)
    monkeypatch.setattr(control_plane, "start", control_plane_stand_in)
    return made


def test_a_twin_starts_is_complete_and_stops_altogether(world: World, tools: dict[str, Path]) -> None:
    lifecycle.start(world)
    state = lifecycle.status(world)
    assert state.running, state.word
    pids = {process.pid for process in state.processes}
    lifecycle.start(world)
    assert {process.pid for process in lifecycle.status(world).processes} == pids, "what runs is left alone"
    assert set(lifecycle.stop(world)) == set(lifecycle.PROCESSES)
    assert lifecycle.status(world).stopped
    assert lifecycle.stop(world) == []


def test_start_repairs_what_was_killed_and_leaves_the_rest(world: World, tools: dict[str, Path]) -> None:
    lifecycle.start(world)
    before = {process.name: process.pid for process in lifecycle.status(world).processes}
    for name in ("cloud", "etcd"):
        victim = Daemon(world.folder, name).process()
        assert victim is not None
        victim.kill()
    while lifecycle.status(world).word != "partly: no cloud, etcd":
        time.sleep(0.02)
    lifecycle.start(world)
    state = lifecycle.status(world)
    assert state.running
    kept = {process.name for process in state.processes if process.pid == before[process.name]}
    assert kept == set(lifecycle.PROCESSES) - {"cloud", "etcd"}


def test_a_port_that_another_program_took_is_told_with_what_to_do(
    world: World, tools: dict[str, Path]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", world.ports["cloud"]))
        taken.listen()
        with pytest.raises(ProcessError, match=r"port \d+ of cloud in twin 'one'.*reset --name one"):
            lifecycle.start(world)


def test_reset_removes_all_that_a_twin_knows_also_of_a_damaged_one(
    world: World, tools: dict[str, Path]
) -> None:
    lifecycle.start(world)
    (world.folder / "world.json").write_text("{")
    lifecycle.reset(World("one"))
    assert not world.folder.exists()
    assert worlds.load("one") is None
    lifecycle.reset(World("one"))
