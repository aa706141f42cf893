"""One Pod, on a thread: its volumes, the order of its containers, its phase and its end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from twin.kubernetes.api import ApiError, Kube, Object, Unreachable, passing_over, path
from twin.kubernetes.events import Recorder
from twin.kubernetes.processes import addresses, listening, status
from twin.kubernetes.processes.container import Container, Rules
from twin.kubernetes.processes.images import Images
from twin.kubernetes.processes.launch import Launcher
from twin.kubernetes.processes.sources import MissingSourceError
from twin.kubernetes.processes.volumes import Volumes

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.1
MOUNT_RETRY_SECONDS: Final = 2.0
REFRESH_SECONDS: Final = 10.0
"""How often mounted ConfigMaps, Secrets and tokens are read again."""
END_SECONDS: Final = 5.0
SIDECAR_SECONDS: Final = 2.0
"""What a sidecar gets at least when the grace period is over."""


class Pod:
    """Runs a Pod until it has ended, is deleted, or the twin stops.

    pod: as the API has it; the watch of Pods renews it. host: the address of its node. factor: of the
    twin's clock. gone: set when the Pod is no longer in the API. ending: whether the twin stops. In both
    cases its processes are killed.
    """

    def __init__(
        self,
        pod: Object,
        kube: Kube,
        images: Images,
        host: str,
        factor: float,
        volumes: Volumes,
        launcher: Launcher,
        ending: Callable[[], bool],
    ) -> None:
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.address = addresses.of_pod(pod)
        self.gone = threading.Event()
        self._ending = ending
        # As it was started: what a webhook of the cloud adds is in this one only.
        self._spec: Object = pod["spec"]
        self._kube = kube
        self._host = host
        self._recorder = Recorder(kube, "kubelet")
        self._volumes, self.launcher = volumes, launcher
        self._published: Object | None = None
        self._mount_due = 0.0
        self._mounted = False
        self._initialized = False
        self.containers = self._containers(images, factor)
        self._thread = threading.Thread(target=self._run, name=f"pod-{self.name}", daemon=True)

    @property
    def name(self) -> str:
        """Its name."""
        return self.pod["metadata"]["name"]

    def start(self) -> None:
        """Begin, on a thread."""
        self._thread.start()

    def listens(self, port: int) -> bool:
        """Whether one of its processes listens on a port."""
        processes = [container.process for container in self.containers]
        pids = [process.pid for process in processes if process is not None]
        return listening.listens(self.launcher.address, port, pids)

    def join(self, seconds: float) -> None:
        """Wait for its thread to end."""
        self._thread.join(seconds)

    def container(self, name: str) -> Container | None:
        """Return a container by name."""
        return next((container for container in self.containers if container.name == name), None)

    def _containers(self, images: Images, factor: float) -> list[Container]:
        spec = self._spec
        policy = spec.get("restartPolicy") or "Always"
        rules = Rules(policy, self._grace(), factor, self._event, self._hurried)
        kinds = [
            ("sidecar" if container.get("restartPolicy") == "Always" else "init", container)
            for container in spec.get("initContainers") or ()
        ]
        kinds += [("main", container) for container in spec["containers"]]
        known = self.pod.get("status") or {}
        before = {
            entry["name"]: entry
            for key in ("initContainerStatuses", "containerStatuses")
            for entry in known.get(key) or ()
        }
        containers: list[Container] = []
        for kind, container in kinds:
            image = images.of(container.get("image") or "")
            if image is None:
                container, image = images.step(container) or (container, None)
            containers.append(Container(container, kind, image, rules))
            if container["name"] in before:
                containers[-1].resume(before[container["name"]])
        return containers

    def _hurried(self) -> bool:
        return self.gone.is_set() or self._ending()

    def _event(self, reason: str, message: str, warning: bool) -> None:
        try:
            self._recorder.event(self.pod, "Pod", reason, message, warning=warning)
        except Unreachable as error:
            log.info("the event could not be written: %s", error)

    def _run(self) -> None:
        failure = ""
        while True:
            try:
                if self._hurried():
                    self._kill()
                    return
                if self._step():
                    return
                failure = ""
            except (ApiError, Unreachable, OSError) as error:
                if str(error) != failure:
                    failure = str(error)
                    log.warning("Pod %s: %s (trying again)", self.name, error)
                self.gone.wait(1.0)
            except Exception:
                log.exception("Pod %s failed in the twin", self.name)
                self._kill()
                return
            self.gone.wait(TICK_SECONDS)

    def _step(self) -> bool:
        """Once; True when the Pod needs no more attention."""
        if "deletionTimestamp" in self.pod["metadata"]:
            self._delete()
            return True
        if not self._mount():
            self._publish("Pending")
            return False
        for container in self.containers:
            container.check(self.launcher)
        if self._overdue():
            self._stop(self._grace())
            self._publish("Failed", "DeadlineExceeded")
            return True
        self._begin()
        phase = status.phase(self.containers)
        if phase in ("Succeeded", "Failed"):
            self._stop(self._grace())
            self._publish(phase)
            return True
        self._publish(phase)
        return False

    def _mount(self) -> bool:
        """Whether the volumes are there; they are read again from time to time."""
        now = time.monotonic()
        if now < self._mount_due:
            return self._mounted
        try:
            self._volumes.write()
        except MissingSourceError as error:
            self._event("FailedMount", f"MountVolume.SetUp failed: {error}", True)
            self._mount_due = now + MOUNT_RETRY_SECONDS
        except (ApiError, Unreachable):
            if not self._mounted:
                raise
            self._mount_due = now + MOUNT_RETRY_SECONDS
        else:
            self._mount_due = now + REFRESH_SECONDS
            self._mounted = True
        return self._mounted

    def _begin(self) -> None:
        """Start what is due: first the init containers one after the other, then all others."""
        if not self._initialized:
            for container in self.containers:
                if container.kind == "main" or status.passed(container):
                    continue
                container.begin(self.launcher)
                if not status.passed(container):
                    return
            self._initialized = True
        for container in self.containers:
            if container.kind != "init":
                container.begin(self.launcher)
        mains = [container for container in self.containers if container.kind == "main"]
        real = [container for container in mains if container.image is not None]
        # A Pod of a program that is not selected has no process: as a server it runs on, as a Job it ends.
        over = all(container.over for container in real) if real else self._runs_once
        if over:
            for container in mains:
                container.end_simulation()

    @property
    def _runs_once(self) -> bool:
        return self.pod["spec"].get("restartPolicy", "Always") != "Always"

    def _overdue(self) -> bool:
        deadline = self.pod["spec"].get("activeDeadlineSeconds")
        started = (self.pod.get("status") or {}).get("startTime")
        if not deadline or not started:
            return False
        return time.time() > datetime.fromisoformat(started).timestamp() + deadline

    def _grace(self) -> float:
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        grace = metadata.get("deletionGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
        return 30.0 if grace is None else float(grace)

    def _stop(self, grace: float) -> None:
        """Stop the main containers together, then the sidecars in reverse order."""
        end = time.monotonic() + grace
        others = [container for container in self.containers if container.kind != "sidecar"]
        for container in others:
            container.signal(self.launcher, grace)
        for container in others:
            container.await_end(self.launcher, end)
        for container in reversed(self.containers):
            if container.kind == "sidecar":
                remaining = max(end - time.monotonic(), SIDECAR_SECONDS) if grace else 0.0
                container.stop(self.launcher, remaining)

    def _delete(self) -> None:
        """End the Pod, report how, and confirm its deletion to the API server."""
        self._event("Killing", "Stopping containers", False)
        self._stop(self._grace())
        if self._hurried():
            return
        mains = [container for container in self.containers if container.kind == "main"]
        self._publish("Succeeded" if all(container.exit_code == 0 for container in mains) else "Failed")
        where = self._where()
        present = self._kube.find(where)
        if present is not None and present["metadata"]["uid"] == self.uid:
            self._kube.delete(where, grace=0)

    def _kill(self) -> None:
        for container in self.containers:
            if container.process is not None:
                container.process.kill()

    def _where(self) -> str:
        return path("v1", "pods", self.pod["metadata"]["namespace"], self.name)

    def _publish(self, phase: str, reason: str = "") -> None:
        body = status.status(self.pod, self.containers, self.address, self._host, phase, reason)
        comparable = {
            **body,
            "conditions": [(entry["type"], entry["status"]) for entry in body["conditions"]],
        }
        comparable.pop("startTime")
        if comparable == self._published:
            return
        patch = {"metadata": {"uid": self.uid}, "status": body}
        # Deleted meanwhile, or another Pod of this name: the watch reports it.
        with passing_over(404, 409):
            self._kube.merge(self._where() + "/status", patch, strategic=True)
            self._published = comparable
