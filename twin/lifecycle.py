"""Start, stop, look at and remove a twin.

Everything here may be repeated, and repairs what a crash left: processes are known by pid files that
cannot lie (twin.processes), folders and links are made where they are missing, and two commands that start
the same twin at once take turns at each process.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from twin import code_fingerprint, credential, environment, instances, path_shims, processes, start_checks
from twin.instances import Instance, InstanceError
from twin.kubernetes import control_plane
from twin.kubernetes.controllers import reports, selection
from twin.kubernetes.controllers.reports import Report
from twin.processes import Daemon, ProcessError
from twin.toolchain import build
from twin.toolchain.build import Toolchain
from twin.toolchain.progress import Progress, Silent
from twin.toolchain.versions import read_versions

CLOUD: Final = "cloud"
CONTROLLER: Final = "controller"
PROCESSES: Final = (CLOUD, *control_plane.PROCESSES, CONTROLLER)
READY_SECONDS: Final = 90.0
# How long a start that failed waits for its other parts to end.
END_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 5.0
TASK_NAME: Final = "part of a twin's start"
# Behind the name of a process that ran with the code of before a change.
RENEWED: Final = ", restarted with the twin's new code"
NEW_CODE: Final = (
    "The twin's code has changed since this twin last ran, and its state may not match the new code: "
    "`aiplatform twin reset --name {name}` deletes it, and the next `up` creates it again."
)
OTHER_IDS: Final = (
    "{count} recorded calls of twin {name} return other ids than before, so its state and its stacks differ:"
    "\n{calls}\n`aiplatform twin reset --name {name}` deletes it, and the next `up` creates it again."
)
MODULE_OF: Final = {CLOUD: "twin.{cloud}.server", CONTROLLER: "twin.kubernetes.controller"}
HEALTH_OF: Final = {CLOUD: "/_twin/health", CONTROLLER: "/healthz"}
# The port of each process that has one of another name.
PORT_OF: Final = {CONTROLLER: "webhook"}


@dataclass(frozen=True)
class ProcessStatus:
    """One process of a twin. memory: resident bytes, 0 where it does not run."""

    name: str
    pid: int | None
    port: int
    memory: int
    log: Path

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.pid is not None


@dataclass(frozen=True)
class Status:
    """What a twin is doing.

    controllers: processes of add-ons' controllers that run. report: what the selected controllers do.
    """

    instance: Instance
    processes: tuple[ProcessStatus, ...]
    controllers: tuple[ProcessStatus, ...] = ()
    report: Report = field(default_factory=Report)

    @property
    def running(self) -> bool:
        """Whether all of it runs."""
        return all(process.running for process in self.processes)

    @property
    def stopped(self) -> bool:
        """Whether none of it runs."""
        return not any(process.running for process in self.processes)

    @property
    def word(self) -> str:
        """`running`, `stopped`, or `partly` with what is missing."""
        if self.running or self.stopped:
            return "running" if self.running else "stopped"
        return "partly: no " + ", ".join(process.name for process in self.processes if not process.running)


def start(
    instance: Instance, progress: Progress | None = None, controllers: Sequence[str] | None = None
) -> Toolchain:
    """Start what does not run and wait until all of it is ready; tools that are missing are built first.

    controllers: names of the add-ons' controllers that run as processes while their Pods do, of
    `twin.toolchain.build.SELECTABLE`; by default those of the last start, at first none.

    The cloud starts at once, the control plane as soon as its binary is there, while the others compile.
    Raises ProcessError, ToolchainError or InstanceError; by then no part of it goes on any more.
    """
    progress = progress or Silent()
    environment.prepare(instance)
    start_checks.check(instance)
    before = (name for name in selection.read(instance) if name in build.SELECTABLE)
    names = build.with_needed(before if controllers is None else controllers)
    given_up = threading.Event()
    cloud = _Task(lambda: _start_cloud(instance, progress, given_up))
    tasks = [cloud]

    def ready(name: str, path: Path) -> None:
        # What failed is reported now, and not when the last tool is built.
        for task in tasks:
            task.check()
        if name == "controlplane":
            tasks.append(_Task(lambda: _start_kubernetes(instance, path, cloud, progress, given_up)))

    try:
        built = build.ensure([*build.ALL, *names], progress=progress, ready=ready)
        tools = Toolchain.of(built)
        path_shims.install(instance, tools)
        _select_controllers(instance, {name: built[name] for name in names})
        for task in tasks:
            task.result()
    except BaseException as error:
        given_up.set()
        if isinstance(error, Exception):  # who presses Ctrl-C does not wait
            for task in tasks:
                task.end(END_SECONDS)
        raise
    return tools


def stop(instance: Instance, *, kill: bool = False) -> list[str]:
    """Stop every process of the twin; what it knows stays. Returns the names of those that ran.

    kill: no process gets time to end in order.
    """
    with _lock(instance):
        # The controller first: it could be in the middle of giving the cluster a fresh control plane.
        first = [_daemon(instance, CONTROLLER), _daemon(instance, CLOUD)]
        ran = processes.stop(first, grace_seconds=0 if kill else GRACE_SECONDS)
        alive = processes.stop(_controllers(instance).values(), grace_seconds=0 if kill else GRACE_SECONDS)
        alive += [name for name, daemon in control_plane.daemons(instance).items() if daemon.alive]
        control_plane.stop(instance, kill=kill)
    return [*ran, *alive]


def status(instance: Instance) -> Status:
    """Which processes run, with pid, port and memory."""
    running = [name for name, daemon in _controllers(instance).items() if daemon.alive]
    return Status(
        instance,
        tuple(_status_of(instance, name) for name in PROCESSES),
        tuple(_status_of(instance, name) for name in running),
        reports.read(instance),
    )


def reset(instance: Instance) -> None:
    """Stop the twin and remove all that it knows. Raises InstanceError that says what is left, and why."""
    stop(instance, kill=True)  # what they would still write is to be removed
    # instance.json goes first: a kill from here on leaves a folder that counts as no instance.
    (instance.folder / instances.FILE).unlink(missing_ok=True)
    failed: list[str] = []

    def note(_: object, path: str, error: tuple[object, BaseException, object]) -> None:
        if not isinstance(error[1], FileNotFoundError):
            failed.append(f"{path}: {getattr(error[1], 'strerror', None) or error[1]}")

    shutil.rmtree(instance.folder, onerror=note)
    if instance.folder.exists():
        files = (path for path in instance.folder.rglob("*") if not path.is_dir())
        why = failed or [f"{path}: written while the twin was removed" for path in files]
        reasons = "".join(f"\n  {line}" for line in why[:5])
        users = "".join(
            f"\n  pid {pid} ({name}) works in this twin: end it" for pid, name in _users(instance)
        )
        raise InstanceError(f"{instance.folder} could not be deleted completely:{reasons}{users}")


def ended(instance: Instance) -> list[str]:
    """The names of the processes that ended by themselves or were killed, and were not stopped."""
    return [name for name in PROCESSES if _daemon(instance, name).ended]


def restart(instance: Instance, name: str) -> bool:
    """Start a process that ended by itself, and wait until it is ready; what it holds is in its files.

    False where it was stopped or started meanwhile. Raises ProcessError, ToolchainError or InstanceError.
    """
    if name in control_plane.PROCESSES:
        return control_plane.restart(instance, name)
    with _lock(instance):
        if not _daemon(instance, name).ended:
            return False
        _launch(instance, name)
    _wait(instance, name, threading.Event())
    return True


def _users(instance: Instance) -> list[tuple[int, str]]:
    """The processes of this user that were started in the twin's environment and still run."""
    users: list[tuple[int, str]] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            variables = process.environ()
            is_named = variables.get("AIPLATFORM_TWIN") == instance.name
            here = is_named and str(instance.folder) in variables.get("PATH", "")
            if here and process.pid != os.getpid():
                users.append((process.pid, process.name()))
    return users


def _select_controllers(instance: Instance, binaries: Mapping[str, Path]) -> None:
    versions = read_versions()
    builds = [
        selection.Build(
            name,
            build.controller_version(name, versions),
            str(binary),
            "" if build.program_of(name) == name else build.program_of(name),
        )
        for name, binary in binaries.items()
    ]
    if list(selection.read(instance).values()) != builds:
        selection.write(instance, builds)


def _controllers(instance: Instance) -> Mapping[str, Daemon]:
    """The processes of controllers, whether they run or not."""
    return {name: _daemon(instance, name) for name in dict.fromkeys(map(build.program_of, build.CONTROLLERS))}


def _start_cloud(instance: Instance, progress: Progress, given_up: threading.Event) -> None:
    renewed = RENEWED if code_fingerprint.is_old(_daemon(instance, CLOUD)) else ""
    with progress.step(f"{instance.cloud} front{renewed}"):
        started = _start_python(instance, CLOUD)
        try:
            _wait(instance, CLOUD, given_up)
        except ProcessError as error:
            if code_fingerprint.is_untried(_daemon(instance, CLOUD)):
                raise ProcessError(f"{error}\n{NEW_CODE.format(name=instance.name)}") from error
            raise
        code_fingerprint.approve(_daemon(instance, CLOUD))
    renamed = _renamed(instance) if started else []
    if renamed:
        calls = "\n".join(f"  {call}" for call in renamed[:3])
        progress.say(OTHER_IDS.format(count=len(renamed), name=instance.name, calls=calls))


def _renamed(instance: Instance) -> list[str]:
    """The calls that gave other ids than before when the API server made them again."""
    try:
        return list(json.loads(_get(instance, instance.ports[CLOUD], HEALTH_OF[CLOUD])[1])["renamed"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return []  # an API server without a journal


def _start_kubernetes(
    instance: Instance, binary: Path, cloud: _Task, progress: Progress, given_up: threading.Event
) -> None:
    renewed = ", restarted with its new version" if _is_another(instance, binary) else ""
    with progress.step(f"Kubernetes control plane{renewed}"):
        if renewed:
            # What it holds is in etcd's files, and stays. The controller must not start it meanwhile.
            processes.stop([_daemon(instance, CONTROLLER)])
            control_plane.stop(instance)
        for name in control_plane.PROCESSES:
            _check_port(instance, _daemon(instance, name), name)
        _check_port(instance, _daemon(instance, "etcd"), "etcd-peer")
        control_plane.start(instance, binary, given_up)
    cloud.result()
    renewed = RENEWED if code_fingerprint.is_old(_daemon(instance, CONTROLLER)) else ""
    with progress.step(f"simulation of nodes, add-ons and tokens{renewed}"):
        _start_python(instance, CONTROLLER)
        _wait(instance, CONTROLLER, given_up)


def _start_python(instance: Instance, name: str) -> bool:
    """Whether it was started now."""
    daemon = _daemon(instance, name)
    with _lock(instance):
        if code_fingerprint.is_old(daemon):
            processes.stop([daemon])
        return _launch(instance, name)


def _launch(instance: Instance, name: str) -> bool:
    daemon = _daemon(instance, name)
    module = MODULE_OF[name].format(cloud=instance.cloud)
    _check_port(instance, daemon, PORT_OF.get(name, name))
    started = processes.start(daemon, _python(instance, module), env=environment.daemon_environment(instance))
    if started:
        code_fingerprint.record(daemon)
    return started


def _python(instance: Instance, module: str) -> list[str]:
    return [sys.executable, "-m", module, "--instance", instance.name]


def _is_another(instance: Instance, binary: Path) -> bool:
    """Whether a process of the control plane runs, and from another binary than this."""
    started = (daemon.program for daemon in control_plane.daemons(instance).values() if daemon.alive)
    return any(program is not None and program != str(binary) for program in started)


def _wait(instance: Instance, name: str, given_up: threading.Event) -> None:
    path = HEALTH_OF[name]
    port = instance.ports[PORT_OF.get(name, name)]
    daemon = _daemon(instance, name)
    processes.wait_ready(
        daemon, lambda: _answers(instance, port, path), seconds=READY_SECONDS, given_up=given_up
    )


def _answers(instance: Instance, port: int, path: str) -> bool:
    try:
        return _get(instance, port, path)[0] == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def _get(instance: Instance, port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        is_admin = path.startswith("/_twin/")
        connection.request("GET", path, headers=credential.headers(instance) if is_admin else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _check_port(instance: Instance, daemon: Daemon, port: str) -> None:
    """Say so clearly when another program took a stopped twin's port."""
    if daemon.alive:
        return
    processes.kill_strays([daemon])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", instance.ports[port]))
        except OSError as error:
            raise ProcessError(
                f"port {instance.ports[port]} of {daemon.name} in twin {instance.name!r} "
                f"is unavailable ({error}): "
                f"end the program that uses it, or give the twin new ports with "
                f"`aiplatform twin reset --name {instance.name}`, which deletes the twin's state"
            ) from error


def _status_of(instance: Instance, name: str) -> ProcessStatus:
    daemon = _daemon(instance, name)
    process = daemon.process()
    memory = processes.memory_bytes([daemon]).get(name, 0) if process else 0
    port = instance.ports.get(PORT_OF.get(name, name), 0)
    return ProcessStatus(name, process.pid if process else None, port, memory, daemon.log)


def _daemon(instance: Instance, name: str) -> Daemon:
    return Daemon(instance.folder, name)


@contextlib.contextmanager
def _lock(instance: Instance) -> Iterator[None]:
    with instances.lock(instance.name):
        yield


class _Task:
    """Work in a thread that does not keep the process from ending (Ctrl-C must not wait for it)."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._failure: BaseException | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run, name=TASK_NAME, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            self._failure = error

    def result(self) -> None:
        """Wait for its end; raise what it raised."""
        self._thread.join()
        self.check()

    def end(self, seconds: float) -> None:
        """Wait for its end, whatever it was."""
        self._thread.join(seconds)

    def check(self) -> None:
        """Raise what it raised, if it did so already."""
        if self._failure is not None:
            raise self._failure
