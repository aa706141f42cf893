"""A Pod's status, from its containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twin.kubernetes.api import Object
from twin.kubernetes.processes.container import Container
from twin.kubernetes.time_scale import timestamp

_READY_KINDS: Final = ("main", "sidecar")


def initialized(containers: Sequence[Container]) -> bool:
    """Whether the main containers may start: init containers have completed, sidecars have started."""
    return all(passed(container) for container in containers if container.kind != "main")


def passed(container: Container) -> bool:
    """Whether an init container no longer delays those behind it."""
    return container.exit_code == 0 if container.kind == "init" else container.started


def phase(containers: Sequence[Container]) -> str:
    """Return the phase of a Pod that is not stopped from outside."""
    if any(container.kind == "init" and container.over and container.exit_code for container in containers):
        return "Failed"
    mains = [container for container in containers if container.kind == "main"]
    if all(container.over for container in mains):
        return "Failed" if any(container.exit_code for container in mains) else "Succeeded"
    started = any(container.running or container.last_state or container.over for container in mains)
    return "Running" if started else "Pending"


def status(
    pod: Object, containers: Sequence[Container], address: str, host: str, phase: str, reason: str = ""
) -> Object:
    """Return the patch of a Pod's status (a strategic merge patch: other conditions stay)."""
    finished = phase in ("Succeeded", "Failed")
    unready = [
        container for container in containers if container.kind in _READY_KINDS and not container.ready
    ]
    why = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "ContainersNotReady")
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()]
    conditions = [
        _condition(pod, "PodReadyToStartContainers", not finished, ""),
        _condition(pod, "Initialized", initialized(containers), "ContainersNotInitialized"),
        _condition(pod, "ContainersReady", not unready and not finished, why),
        _condition(pod, "Ready", not unready and not finished, why),
        # No load balancer controller is there to open a gate.
        *(_condition(pod, gate, True, "") for gate in gates),
    ]
    started = (pod.get("status") or {}).get("startTime")
    return {
        "phase": phase,
        **({"reason": reason} if reason else {}),
        "conditions": conditions,
        "startTime": started or timestamp(),
        "podIP": address,
        "podIPs": [{"ip": address}],
        **({"hostIP": host, "hostIPs": [{"ip": host}]} if host else {}),
        "initContainerStatuses": [
            _container(pod, container) for container in containers if container.kind != "main"
        ],
        "containerStatuses": [
            _container(pod, container) for container in containers if container.kind == "main"
        ],
    }


def _container(pod: Object, container: Container) -> Object:
    image = container.spec["image"]
    runtime = "process" if container.image else "twin"
    identifier = f"{runtime}://{pod['metadata']['uid']}/{container.name}/{container.restarts}"
    begun = "waiting" not in container.state or bool(container.last_state)
    return {
        "name": container.name,
        "image": image,
        "imageID": image if begun else "",
        **({"containerID": identifier} if begun else {}),
        # An init container that has completed is ready.
        "ready": container.ready or (container.kind == "init" and container.exit_code == 0),
        "started": container.started,
        "restartCount": container.restarts,
        "state": container.state,
        "lastState": container.last_state,
    }


def _condition(pod: Object, kind: str, holds: bool, reason: str) -> Object:
    value = "True" if holds else "False"
    for before in (pod.get("status") or {}).get("conditions") or ():
        if before["type"] == kind and before["status"] == value:
            since = before.get("lastTransitionTime")
            break
    else:
        since = timestamp()
    # None deletes what an earlier patch has written.
    return {
        "type": kind,
        "status": value,
        "lastTransitionTime": since,
        "reason": None if holds else reason or None,
        "message": None,
    }
