"""One container of a Pod: started, probed, restarted and stopped as its kubelet would."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from twin.kubernetes.api import ApiError, Object
from twin.kubernetes.processes.environments import ImageError
from twin.kubernetes.processes.images import Image
from twin.kubernetes.processes.launch import Launcher
from twin.kubernetes.processes.logs import Selection, read
from twin.kubernetes.processes.probes import Probe, succeeds
from twin.kubernetes.processes.process import START_ERROR, Process
from twin.kubernetes.processes.sources import MissingSourceError
from twin.kubernetes.time_scale import timestamp

BACK_OFF: Final = 10.0
"""Seconds before the second restart; doubled with each one up to the longest. Divided by the twin's clock."""
BACK_OFF_LONGEST: Final = 300.0
BACK_OFF_RESET: Final = 600.0
"""A container that ran so long begins with the shortest again."""
RETRY: Final = 2.0
"""Seconds until a container whose ConfigMap, Secret or environment was missing is tried again."""
LOST: Final = 137
"""The exit code of a container whose node was restarted."""
_TAIL_LINES: Final = 80
_TAIL_BYTES: Final = 2048
Event = Callable[[str, str, bool], None]


@dataclass(frozen=True)
class Rules:
    """What a Pod decides for its containers.

    policy: its restartPolicy. grace: its terminationGracePeriodSeconds. factor: of the twin's clock. event:
    writes an event of the Pod (reason, message, whether it is a warning). hurried: whether processes are
    killed at once from now on.
    """

    policy: str
    grace: float
    factor: float
    event: Event
    hurried: Callable[[], bool]


class Container:
    """kind: `init`, `sidecar` (an init container with restartPolicy Always) or `main`.

    image: None where the image is not in the table: such a container runs no process, is ready at once, and
    ends with the others.
    """

    def __init__(self, spec: Object, kind: str, image: Image | None, rules: Rules) -> None:
        self.spec, self.kind, self.image = spec, kind, image
        self.restarts = 0
        self.state: Object = {"waiting": {"reason": "ContainerCreating"}}
        self.last_state: Object = {}
        self.started = False
        self.ready = False
        self.process: Process | None = None
        self._policy = "Always" if kind == "sidecar" else rules.policy
        self._factor = rules.factor
        self._event = rules.event
        self._rules = rules
        self._due = 0.0
        self._back_off = 0.0
        self._probes: dict[str, Probe] = {}

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec["name"]

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return "running" in self.state

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None."""
        terminated = self.state.get("terminated")
        return None if terminated is None else terminated["exitCode"]

    @property
    def over(self) -> bool:
        """Whether it has ended and is not started again."""
        return self.exit_code is not None and not self._restarts(self.exit_code)

    def _restarts(self, exit_code: int) -> bool:
        if self.kind == "init" and exit_code == 0:
            return False
        policy = self.spec.get("restartPolicy") or self._policy
        if self.kind == "init":
            return policy != "Never"
        return policy == "Always" or (policy == "OnFailure" and exit_code != 0)

    def resume(self, status: Object) -> None:
        """Take over what the API has of it after a restart of the twin: a process that ran is lost."""
        self.restarts = status.get("restartCount") or 0
        self.state = status.get("state") or self.state
        self.last_state = status.get("lastState") or {}
        if self.running:
            self._ended(LOST, "ContainerStatusUnknown", "the twin was stopped while the container ran")

    def begin(self, launcher: Launcher) -> None:
        """Start it if it is due."""
        now = time.monotonic()
        if self.running or self.over or now < self._due:
            return
        if "terminated" in self.state or self._is_waiting("CrashLoopBackOff"):
            if not self._may_restart(now):
                return
            self.restarts += 1
        if self.image is None:
            self._simulate()
            return
        try:
            self.process = launcher.start(self.spec, self.image, self.restarts)
        except MissingSourceError as error:
            self._wait("CreateContainerConfigError", str(error), now)
        except ImageError as error:
            self._wait("ErrImagePull", str(error), now)
        except ApiError as error:
            self._wait("CreateContainerError", str(error), now)
        except OSError as error:
            self._event("Failed", f"Error: {error}", True)
            self.state = {"running": {"startedAt": timestamp()}}
            self._ended(START_ERROR, "StartError", str(error))
        else:
            self.state = {"running": {"startedAt": timestamp(self.process.started)}}
            self._event("Started", f"Started container {self.name}", False)
            self._probes = {
                kind: Probe(self.spec[kind], now)
                for kind in ("startupProbe", "livenessProbe", "readinessProbe")
                if kind in self.spec
            }
            self.started = "startupProbe" not in self._probes
            self.ready = self.started and "readinessProbe" not in self._probes

    def _is_waiting(self, reason: str) -> bool:
        return (self.state.get("waiting") or {}).get("reason") == reason

    def _may_restart(self, now: float) -> bool:
        """Whether the time to restart has come: at once the first time, then after the back-off."""
        if "terminated" not in self.state:
            self._back_off = min(self._back_off * 2, BACK_OFF_LONGEST)
            return True
        self.last_state = self.state
        if not self._back_off:
            self._back_off = BACK_OFF
            return True
        seconds = self._back_off / self._factor
        self._due = now + seconds
        message = f"back-off {seconds:.0f}s restarting failed container {self.name}"
        self.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        self._event("BackOff", f"Back-off restarting failed container {self.name}", True)
        return False

    def _wait(self, reason: str, message: str, now: float) -> None:
        self.state = {"waiting": {"reason": reason, "message": message}}
        self._due = now + RETRY
        self._event("Failed", f"Error: {message}", True)

    def _simulate(self) -> None:
        now = timestamp()
        self.started = self.ready = True
        self.state = {"running": {"startedAt": now}}
        if self.kind == "init":
            self.end_simulation()

    def end_simulation(self) -> None:
        """End a container without a process."""
        if self.image is None and self.running:
            self._ended(0, "Completed", "")

    def check(self, launcher: Launcher) -> None:
        """Look whether it has ended, and run the probes that are due."""
        if self.process is None or not self.running:
            return
        exit_code = self.process.exit_code()
        if exit_code is None:
            self._probe(launcher)
            return
        self._ended(exit_code, "Completed" if exit_code == 0 else "Error", self._message(launcher, exit_code))

    def _message(self, launcher: Launcher, exit_code: int) -> str:
        message = launcher.message(self.spec)
        fallback = self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        if message or not fallback or exit_code == 0:
            return message
        lines = read(launcher.log(self.name, self.restarts), Selection(tail=_TAIL_LINES))
        return b"".join(lines)[-_TAIL_BYTES:].decode(errors="replace")

    def _ended(self, exit_code: int, reason: str, message: str) -> None:
        now = time.time()
        started = self.state["running"]["startedAt"]
        if self.process is not None and now - self.process.started > BACK_OFF_RESET / self._factor:
            self._back_off = 0.0
        self.process = None
        self.started = self.ready = False
        self.state = {
            "terminated": {
                "exitCode": exit_code,
                "reason": reason,
                "startedAt": started,
                "finishedAt": timestamp(now),
                **({"message": message} if message else {}),
            }
        }

    def _probe(self, launcher: Launcher) -> None:
        if not self.started:
            result = self._run("startupProbe", launcher)
            if result is False:
                self._unhealthy("Startup", launcher)
            self.started = bool(result)
            if not self.started:
                return
            self.ready = "readinessProbe" not in self._probes
        if self._run("livenessProbe", launcher) is False:
            self._unhealthy("Liveness", launcher)
            return
        result = self._run("readinessProbe", launcher)
        if result is not None:
            self.ready = result

    def _run(self, kind: str, launcher: Launcher) -> bool | None:
        probe = self._probes.get(kind)
        if probe is None:
            return None
        return probe.run(time.monotonic(), self.spec, launcher.address, self._execute(launcher))

    def _execute(self, launcher: Launcher) -> Any:
        return lambda command, seconds: launcher.execute(self.spec, command, seconds)

    def _unhealthy(self, probe: str, launcher: Launcher) -> None:
        self._event("Unhealthy", f"{probe} probe failed", True)
        self._event(
            "Killing", f"Container {self.name} failed {probe.lower()} probe, will be restarted", False
        )
        self.stop(launcher, self._rules.grace)

    def stop(self, launcher: Launcher, grace: float) -> None:
        """End it: preStop hook, SIGTERM, and SIGKILL after the grace period."""
        self.signal(launcher, grace)
        self.await_end(launcher, time.monotonic() + grace)

    def signal(self, launcher: Launcher, grace: float) -> None:
        """Run its preStop hook, and send SIGTERM."""
        if self.process is None:
            return
        hook = (self.spec.get("lifecycle") or {}).get("preStop")
        if hook and grace:
            succeeds(hook, self.spec, launcher.address, grace, self._execute(launcher))
        if grace:
            self.process.terminate()

    def await_end(self, launcher: Launcher, deadline: float) -> None:
        """Wait until it has ended; kill it at the deadline."""
        process = self.process
        if process is None:
            self.end_simulation()
            return
        while process.exit_code() is None:
            if time.monotonic() >= deadline or self._rules.hurried():
                process.kill()
            time.sleep(0.05)
        self.check(launcher)
