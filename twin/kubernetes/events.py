"""Events on Kubernetes objects, as the components of a cluster write them."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from twin.kubernetes.api import ApiError, Kube, passing_over, path
from twin.kubernetes.time_scale import timestamp

log = logging.getLogger(__name__)

REPEAT: Final = 60.0
"""Seconds before the same words about the same object are written again (as a count, not a new event)."""
REMEMBERED: Final = 2000
API_VERSIONS: Final = {
    "Deployment": "apps/v1",
    "DaemonSet": "apps/v1",
    "ProvisioningRequest": "autoscaling.x-k8s.io/v1",
}
"""Kind to API version, where that is not `v1`."""


class Recorder:
    """Writes the events of one component. An event that cannot be written is a log line, never an error."""

    def __init__(self, kube: Kube, component: str) -> None:
        self._kube = kube
        self._component = component
        self._seen: dict[tuple[str, str, str], tuple[float, str, int]] = {}

    def event(
        self, target: Mapping[str, Any], kind: str, reason: str, message: str, *, warning: bool = False
    ) -> None:
        """Say something of an object. The same within a minute is left out; later it raises the count."""
        metadata = target["metadata"]
        key = (metadata.get("uid") or metadata["name"], reason, message)
        when, name, count = self._seen.get(key, (-REPEAT, "", 0))
        if time.monotonic() - when < REPEAT:
            return
        log.info("%s %s/%s: %s: %s", kind, metadata.get("namespace", ""), metadata["name"], reason, message)
        try:
            name = self._again(target, name, count + 1) or self._new(target, kind, reason, message, warning)
        except ApiError as error:
            # An object in a namespace that is being deleted takes no events.
            log.info("the event could not be written: %s", error)
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen[key] = (time.monotonic(), name, count + 1)

    def _where(self, target: Mapping[str, Any], name: str = "") -> str:
        return path("v1", "events", target["metadata"].get("namespace") or "default", name)

    def _again(self, target: Mapping[str, Any], name: str, count: int) -> str:
        if not name:
            return ""
        with passing_over(404):
            self._kube.merge(self._where(target, name), {"count": count, "lastTimestamp": timestamp()})
            return name
        return ""

    def _new(self, target: Mapping[str, Any], kind: str, reason: str, message: str, warning: bool) -> str:
        metadata = target["metadata"]
        namespace = metadata.get("namespace") or "default"
        name = f"{metadata['name']}.{uuid.uuid4().hex[:16]}"
        api_version = API_VERSIONS.get(kind, "v1")
        now = timestamp()
        self._kube.create(
            path("v1", "events", namespace),
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": {
                    "apiVersion": api_version,
                    "kind": kind,
                    "name": metadata["name"],
                    "namespace": metadata.get("namespace", ""),
                    "uid": metadata.get("uid", ""),
                    "resourceVersion": metadata.get("resourceVersion", ""),
                },
                "type": "Warning" if warning else "Normal",
                "reason": reason,
                "message": message[:1024],
                "count": 1,
                "firstTimestamp": now,
                "lastTimestamp": now,
                "source": {"component": self._component},
                "reportingComponent": self._component,
            },
        )
        return name
