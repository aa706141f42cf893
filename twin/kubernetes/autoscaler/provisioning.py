"""ProvisioningRequests of the class queued-provisioning.gke.io: they grow queued node pools, all or nothing.

Accepted: a queued node pool could take all of its Pods. Provisioned: its machines are there and Ready. Until
the cloud has them all the request waits, and nothing is grown in part. A request that no node pool could take
is Failed.
Sources: kubernetes/autoscaler, cluster-autoscaler/proposals/provisioning-request.md; "Run a large-scale
workload with flex-start with queued provisioning" of GKE's documentation.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from twin.kubernetes.api import Kube, Object, path
from twin.kubernetes.autoscaler.groups import Managed, headroom
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import InsufficientCapacity
from twin.kubernetes.events import Recorder
from twin.kubernetes.scheduling_predicates import misfits, opened, overheads, pack
from twin.kubernetes.time_scale import Clock, timestamp

log = logging.getLogger(__name__)

API: Final = "autoscaling.x-k8s.io/v1"
CLASS: Final = "queued-provisioning.gke.io"
MARK: Final = "autoscaling.gke.io/provisioning-request"
DURATION: Final = "maxRunDurationSeconds"
LONGEST: Final = 604_800
"""Seconds that its machines run at most (seven days)."""
BOOKED: Final = 600.0
"""Seconds for which machines wait for the Pods of their request before they may go."""


def conditions(request: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The request's conditions by type."""
    return {
        condition["type"]: condition for condition in (request.get("status") or {}).get("conditions") or ()
    }


def holds(request: Mapping[str, Any], kind: str) -> bool:
    """Whether a condition is True."""
    return conditions(request).get(kind, {}).get("status") == "True"


class _NoPoolError(Exception):
    """No node pool could take a request's Pods."""


class ProvisioningRequests:
    """Follows the requests of a cluster."""

    def __init__(self, view: CloudView, kube: Kube, recorder: Recorder, clock: Clock) -> None:
        self._view = view
        self._kube = kube
        self._recorder = recorder
        self._clock = clock
        self._pools: dict[str, str] = {}
        self._booked: dict[str, float] = {}

    def reserved(self) -> set[str]:
        """Node pools whose machines wait for their request's Pods."""
        now = self._clock.now()
        return {pool for key, pool in self._pools.items() if self._booked.get(key, now) + BOOKED > now}

    def step(self, groups: Sequence[Managed], daemonsets: Iterable[Object]) -> bool:
        """Once over all requests. Returns whether a group was grown. groups: the queued ones."""
        requests: list[Object] = (self._kube.find(path(API, "provisioningrequests")) or {}).get("items", [])
        present = {_key(request) for request in requests}
        self._pools = {key: pool for key, pool in self._pools.items() if key in present}
        every = list(daemonsets)
        grown = [self._one(request, groups, every) for request in requests if _open(request)]
        return any(grown)

    def _one(self, request: Object, groups: Sequence[Managed], daemonsets: Sequence[Object]) -> bool:
        if holds(request, "Accepted"):
            pool = self._pools.get(_key(request)) or _pool_of(request, groups)
            if pool:
                return self._await(request, pool, groups)
        seconds = (request["spec"].get("parameters") or {}).get(DURATION, "1")
        if not seconds.isdigit() or not 0 < int(seconds) <= LONGEST:
            words = f"parameters.{DURATION} must be from 1 to {LONGEST}, got {seconds!r}."
            self._set(request, "Failed", "InvalidParameters", words)
            return False
        pods = self._pods(request)
        if pods is None:
            return False
        try:
            best, sizes = _place(pods, groups, daemonsets)
        except _NoPoolError as error:
            self._set(request, "Failed", "NoNodePool", str(error))
            return False
        if not holds(request, "Accepted"):
            self._set(request, "Accepted", "Accepted", f"Queued for node pool {best.group.node_group}.")
        try:
            self._view.grow_for(request["metadata"]["name"], sizes)
        except InsufficientCapacity as error:
            log.info("provisioning request %s waits: %s", _key(request), error)
            self._set(request, "Provisioned", "Queued", "Waiting for capacity.", status="False")
            return False
        self._pools[_key(request)] = best.group.node_group
        self._booked[_key(request)] = self._clock.now()
        return True

    def _await(self, request: Object, pool: str, groups: Sequence[Managed]) -> bool:
        mine = [managed for managed in groups if managed.group.node_group == pool]
        self._pools[_key(request)] = pool
        if not any(managed.coming for managed in mine):
            self._booked[_key(request)] = self._clock.now()
            self._set(request, "Provisioned", "Provisioned", "The requested capacity is provisioned.")
        return False

    def _pods(self, request: Object) -> list[Object] | None:
        """The Pods that the request is for; None (and Failed) where a template is missing."""
        namespace = request["metadata"]["namespace"]
        pods: list[Object] = []
        for part in request["spec"].get("podSets") or ():
            name = part["podTemplateRef"]["name"]
            template = self._kube.find(path("v1", "podtemplates", namespace, name))
            if template is None:
                self._set(
                    request, "Failed", "PodTemplateNotFound", f"PodTemplate {namespace}/{name} not found."
                )
                return None
            pod: Object = {
                "metadata": {"namespace": namespace, **(template["template"].get("metadata") or {})},
                "spec": template["template"]["spec"],
            }
            pods += [pod] * int(part["count"])
        return pods

    def _set(self, request: Object, kind: str, reason: str, message: str, *, status: str = "True") -> None:
        metadata = request["metadata"]
        before = conditions(request).get(kind)
        if before and (before["status"], before["reason"]) == (status, reason):
            return
        others = [condition for name, condition in conditions(request).items() if name != kind]
        fresh = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": timestamp(),
            "observedGeneration": metadata.get("generation", 1),
        }
        request.setdefault("status", {})["conditions"] = [*others, fresh]
        where = path(API, "provisioningrequests", metadata["namespace"], metadata["name"])
        self._kube.merge(f"{where}/status", {"status": {"conditions": request["status"]["conditions"]}})
        self._recorder.event(request, "ProvisioningRequest", reason, message, warning=kind == "Failed")


def _key(request: Mapping[str, Any]) -> str:
    return f"{request['metadata']['namespace']}/{request['metadata']['name']}"


def _open(request: Mapping[str, Any]) -> bool:
    mine = request["spec"].get("provisioningClassName") == CLASS
    return mine and not any(holds(request, kind) for kind in ("Failed", "Provisioned"))


def _pool_of(request: Mapping[str, Any], groups: Sequence[Managed]) -> str:
    """The node pool that has machines of the request, after a restart."""
    name = request["metadata"]["name"]
    for managed in groups:
        if any(member.machine.labels.get(MARK) == name for member in managed.members):
            return managed.group.node_group
    return ""


def _place(
    pods: Sequence[Object], groups: Sequence[Managed], daemonsets: Sequence[Object]
) -> tuple[Managed, dict[str, int]]:
    """(the group to grow, {group: size}). Raises _NoPoolError with why no group can take them all."""
    why = "there is no node pool with queued provisioning"
    for managed in sorted(groups, key=lambda item: item.group.name):
        overhead = overheads(daemonsets, managed.shape)
        reasons = misfits(pods[0], managed.shape, opened(managed.shape, overhead).free) if pods else []
        if reasons:
            why = f"node pool {managed.group.node_group}: {', '.join(reasons)}"
            continue
        count, placed, _ = pack(pods, managed.shape, headroom(managed, groups), overhead)
        if len(placed) == len(pods):
            return managed, {managed.group.name: managed.group.desired + count}
        why = f"node pool {managed.group.node_group}: {len(placed)} of {len(pods)} Pods fit under its maximum"
    raise _NoPoolError(why)
