"""Runs the selected controllers while their Pods run, and has the Pods' readiness follow the processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from twin.instances import Instance
from twin.kubernetes.api import ApiError, Kube, Object, Unreachable, passing_over, path
from twin.kubernetes.backends import Backends
from twin.kubernetes.certificates import Pki
from twin.kubernetes.controllers import reports, selection
from twin.kubernetes.controllers.issued import Issued
from twin.kubernetes.controllers.process import ControllerProcess
from twin.kubernetes.controllers.programs import PROGRAMS, Program
from twin.kubernetes.controllers.reports import State
from twin.kubernetes.controllers.selection import Build
from twin.kubernetes.controllers.set_aside import SetAside
from twin.kubernetes.informer import Mirror
from twin.kubernetes.pods import leaving, phase, ready
from twin.kubernetes.processes.sources import MissingSourceError
from twin.kubernetes.time_scale import timestamp
from twin.processes import ProcessError

if TYPE_CHECKING:
    from twin.kubernetes.processes.runtime import Identity

log = logging.getLogger(__name__)

LOOK: Final = 0.5
"""Seconds between looks at the Pods and the processes."""
TEMPLATE: Final = "pod-template-hash"
"""The label of a Deployment's Pods that differs with their template."""
NOT_READY: Final = "ContainersNotReady"

Running = tuple[Object, Object]
"""A Pod that runs on a node, and its container that is the program."""


class Supervisor:
    """All controllers of a twin, on a separate thread. identity: returns the cloud's part of a node."""

    def __init__(
        self,
        instance: Instance,
        kube: Kube,
        mirror: Mirror,
        backends: Backends,
        identity: Callable[[], Identity] | None = None,
    ) -> None:
        self._instance = instance
        self._kube = kube
        self._mirror = mirror
        self._backends = backends
        self._processes = {
            name: ControllerProcess(instance, kube, program, identity, self._ports_of)
            for name, program in PROGRAMS.items()
        }
        self._set_aside = SetAside(kube, backends, Pki(instance.folder / "kubernetes" / "pki"))
        self._issued = Issued(
            kube, Pki(instance.folder / "kubernetes" / "pki"), instance.folder / "certificates"
        )
        self._registered: dict[str, set[tuple[str, str]]] = {name: set() for name in PROGRAMS}
        self._problems: dict[str, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="controllers", daemon=True)

    def _ports_of(self, name: str) -> Mapping[int, int]:
        """Return the ports on which a program listens."""
        return self._processes[name].ports

    def start(self) -> None:
        """Begin to look after the controllers."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the processes as they are; `twin stop` ends them."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(LOOK):
            try:
                self.step()
                self._problems.pop("", None)
            except (ApiError, Unreachable) as error:
                self._note("", error)
            except Exception:  # the next look may find what is missing now
                log.exception("controllers")

    def step(self) -> None:
        """Look once at each program."""
        if not self._mirror.synced:
            return
        builds = selection.versions(self._instance)
        pods = self._mirror.all("pods")
        if any(PROGRAMS[name].certificates for name in builds if name in PROGRAMS):
            self._issued.step()
        states = [self._look(program, builds.get(program.name, {}), pods) for program in PROGRAMS.values()]
        set_aside = self._set_aside.names()
        reports.write(self._instance, [state for state in states if state is not None], set_aside)

    def _look(self, program: Program, builds: Mapping[str, Build], pods: Iterable[Object]) -> State | None:
        process = self._processes[program.name]
        running = _running(program, pods)
        self._unregister(program, {(pod["metadata"]["namespace"], _name(pod)) for pod, _ in running})
        try:
            if not builds or not running:
                process.end()
            if not builds:
                self._play(program, running)
                return None
            if not running:
                return State(program.name, "waits for its Pod")
            return self._keep(process, builds, running)
        except (ApiError, Unreachable, ProcessError, OSError) as error:
            return State(program.name, self._note(program.name, error))

    def _note(self, name: str, error: Exception) -> str:
        """Log a problem once until there is another; return its text."""
        problem = f"{type(error).__name__}: {error}"
        if self._problems.get(name) != problem:
            self._problems[name] = problem
            log.warning("%s: %s (trying again)", name or "controllers", problem)
        return problem

    def _keep(
        self, process: ControllerProcess, builds: Mapping[str, Build], running: Sequence[Running]
    ) -> State:
        name = process.program.name
        pod, container = _current(running, process.pod)
        wanted = version_of(container["image"])
        wanted = process.program.instead.get(wanted, wanted)
        build = builds.get(wanted)
        if build is None:
            process.end()
            self._play(process.program, running)
            versions = " and ".join(builds)
            return State(name, f"does not run: its image has version {wanted}, the twin has {versions}")
        try:
            process.keep(build, pod, container)
        except MissingSourceError as error:
            self._settle(process, running, is_ready=False)
            return State(name, f"waits: {error}")
        is_ready = process.ready(container)
        self._settle(process, running, is_ready=is_ready)
        self._problems.pop(name, None)
        state = "ready" if is_ready else "starts" if process.daemon.alive else "ended, is started again"
        return State(name, state, process.restarts)

    def _settle(self, process: ControllerProcess, running: Sequence[Running], *, is_ready: bool) -> None:
        """Have all Pods of the program be reached at its ports, and be as ready as it is."""
        for pod, container in running:
            key = (pod["metadata"]["namespace"], _name(pod))
            self._backends.register_pod(*key, process.ports)
            self._registered[process.program.name].add(key)
            self._set_ready(pod, container["name"], is_ready, process.restarts)

    def _play(self, program: Program, running: Sequence[Running]) -> None:
        """Report Pods as ready whose program does not run here: they are simulated as all others."""
        self._unregister(program, set())
        for pod, container in running:
            self._set_ready(pod, container["name"], True, 0)

    def _unregister(self, program: Program, but: set[tuple[str, str]]) -> None:
        """Have the program's Pods not be reached any more, but these."""
        registered = self._registered[program.name]
        for key in registered - but:
            self._backends.unregister_pod(*key)
        registered &= but

    def _set_ready(self, pod: Object, container: str, is_ready: bool, restarts: int) -> None:
        statuses: list[dict[str, Any]] = pod["status"].get("containerStatuses") or []
        before = next((status for status in statuses if status["name"] == container), {})
        if ready(pod) == is_ready and before.get("restartCount") == restarts:
            return
        fresh: dict[str, Any] = {"status": "True" if is_ready else "False", "lastTransitionTime": timestamp()}
        if not is_ready:
            fresh["reason"] = NOT_READY
        kinds = ("Ready", "ContainersReady")
        others = [entry for entry in pod["status"]["conditions"] if entry["type"] not in kinds]
        changed = {**before, "name": container, "ready": is_ready, "restartCount": restarts}
        body = {
            "conditions": [*others, *({"type": kind, **fresh} for kind in kinds)],
            "containerStatuses": [changed if status is before else status for status in statuses],
        }
        metadata = pod["metadata"]
        where = path("v1", "pods", metadata["namespace"], metadata["name"])
        with passing_over(404, 409):
            self._kube.merge(f"{where}/status", {"status": body})


def version_of(image: str) -> str:
    """Return the version in an image's tag, without `v`; empty without a tag."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2].removeprefix("v")


def _running(program: Program, pods: Iterable[Object]) -> list[Running]:
    of_program = (
        (pod, program.container(pod)) for pod in pods if phase(pod) == "Running" and not leaving(pod)
    )
    return [(pod, container) for pod, container in of_program if container is not None]


def _current(running: Sequence[Running], before: str) -> Running:
    """Return the Pod whose container the process is: one of the newest template, if possible the same as
    before."""
    newest = max(running, key=lambda pair: (pair[0]["metadata"]["creationTimestamp"], _name(pair[0])))
    same = (
        pair
        for pair in running
        if pair[0]["metadata"]["uid"] == before and _template(pair[0]) == _template(newest[0])
    )
    return next(same, newest)


def _name(pod: Object) -> str:
    return pod["metadata"]["name"]


def _template(pod: Object) -> str:
    return (pod["metadata"].get("labels") or {}).get(TEMPLATE, "")
