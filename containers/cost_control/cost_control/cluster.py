"""ClusterQueues, Workloads and Pods of the cluster, and events about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from kubernetes import client, config
from kubernetes.client import ApiException

from cost_control import queues
from cost_control.errors import RefusedError
from cost_control.queues import Held, Object
from cost_control.reaper import Pod, Reference

_KUEUE: Final = ("kueue.x-k8s.io", "v1beta2")
_QUEUES: Final = (*_KUEUE, "clusterqueues")
_WORKLOAD: Final = "kueue.x-k8s.io/workload"
"""The annotation of a Pod with the name of its Workload."""
_REAPED: Final = "ai-platform/reaped"
"""The annotation of a Workload with the reason for which it was ended."""
_GPUS: Final = "nvidia.com/"
_NOT_ENDED: Final = "status.phase!=Succeeded,status.phase!=Failed"
_PAGE: Final = 500
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_GONE: Final = 404
_CONFLICT: Final = 409
_REFUSED: Final = (400, 403, 422)
_ATTEMPTS: Final = 5
EVENTS: Final = "default"
"""The namespace of events about objects without one, which the API server requires."""


class Cluster:
    """The API of the cluster. Raises RefusedError for what the API server refuses."""

    def __init__(self, api: Any = None) -> None:
        if api is None:
            # The file of KUBECONFIG, or the token of the Pod.
            config.load_config()
            api = client.ApiClient()
        self._custom: Any = client.CustomObjectsApi(api)
        self._core: Any = client.CoreV1Api(api)

    def queue(self, name: str) -> Object | None:
        """Return a ClusterQueue; None where there is none."""
        try:
            return self._custom.get_cluster_custom_object(*_QUEUES, name)
        except ApiException as error:
            if error.status == _GONE:
                return None
            raise _refused(error) from error

    def change(self, name: str, decide: Callable[[Held, Object], Held]) -> tuple[Held, Held] | None:
        """Change why a queue is held. Returns what was before and what is now; None where there is no such
        queue. decide: returns what should be, from what is; repeated where the queue changes meanwhile."""
        for _ in range(_ATTEMPTS):
            queue = self.queue(name)
            if queue is None:
                return None
            before = queues.held(queue)
            now = decide(before, queue)
            if now == before or self._apply(queue, now):
                return before, now
        raise RefusedError(f"ClusterQueue {name} changes all the time; expected to run again")

    def _apply(self, queue: Object, state: Held) -> bool:
        """Apply the state. Returns False where the queue has changed since it was read."""
        body = queues.applied(queue, state)
        try:
            self._custom.patch_cluster_custom_object(
                *_QUEUES,
                queue["metadata"]["name"],
                body,
                field_manager=queues.MANAGER,
                force=True,
                _content_type=_APPLY,
            )
        except ApiException as error:
            if error.status == _CONFLICT:
                return False
            raise _refused(error) from error
        return True

    def report(self, queue: str, reason: str, message: str, *, warning: bool = False) -> None:
        """Create an event about a queue. reason: a word such as `HeldByBudget`."""
        known = self.queue(queue)
        if known is not None:
            about = Reference(queues.API_VERSION, "ClusterQueue", "", queue, known["metadata"]["uid"])
            self.event(about, reason, message, warning=warning)

    def event(self, about: Reference, reason: str, message: str, *, warning: bool = False) -> None:
        """Create an event about an object, in its namespace. reason: a word such as `HeldByBudget`."""
        now = datetime.now(UTC)
        namespace = about.namespace or EVENTS
        event = client.CoreV1Event(
            metadata=client.V1ObjectMeta(generate_name=f"{about.name}.", namespace=namespace),
            involved_object=client.V1ObjectReference(
                api_version=about.api_version,
                kind=about.kind,
                namespace=about.namespace or None,
                name=about.name,
                uid=about.uid,
            ),
            reason=reason,
            message=message[:1024],
            type="Warning" if warning else "Normal",
            first_timestamp=now,
            last_timestamp=now,
            count=1,
            source=client.V1EventSource(component=queues.MANAGER),
        )
        try:
            self._core.create_namespaced_event(namespace, event)
        except ApiException as error:
            raise _refused(error) from error

    def pods(self) -> list[Pod]:
        """Return all Pods that have not ended."""
        result: list[Pod] = []
        page = ""
        while True:
            try:
                listing = self._core.list_pod_for_all_namespaces(
                    field_selector=_NOT_ENDED, limit=_PAGE, _continue=page
                )
            except ApiException as error:
                raise _refused(error) from error
            result += map(_pod, listing.items)
            page = listing.metadata._continue
            if not page:
                return result

    def workload(self, namespace: str, name: str) -> Object | None:
        """Return a Workload; None where there is none."""
        try:
            return self._custom.get_namespaced_custom_object(*_KUEUE, namespace, "workloads", name)
        except ApiException as error:
            if error.status == _GONE:
                return None
            raise _refused(error) from error

    def deactivate(self, workload: Object, reason: str) -> bool:
        """Deactivate a Workload: Kueue evicts it, and does not admit it again (API of Kueue, WorkloadSpec).
        Returns False where it has changed since it was read, or is deleted."""
        metadata = workload["metadata"]
        body = {
            "metadata": {
                "resourceVersion": metadata["resourceVersion"],
                "annotations": {_REAPED: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}: {reason}"},
            },
            "spec": {"active": False},
        }
        try:
            self._custom.patch_namespaced_custom_object(
                *_KUEUE,
                metadata["namespace"],
                "workloads",
                metadata["name"],
                body,
                field_manager=queues.MANAGER,
                _content_type=_MERGE,
            )
        except ApiException as error:
            if error.status in (_GONE, _CONFLICT):
                return False
            raise _refused(error) from error
        return True


def _pod(item: Any) -> Pod:
    metadata, spec = item.metadata, item.spec
    controllers = [owner.kind for owner in metadata.owner_references or () if owner.controller]
    claims = 1 if spec.resource_claims else 0
    return Pod(
        Reference("v1", "Pod", metadata.namespace, metadata.name, metadata.uid),
        (metadata.annotations or {}).get(_WORKLOAD, ""),
        max(sum(map(_gpus, spec.containers)), *map(_gpus, spec.init_containers or ()), claims),
        item.status.start_time if item.status.phase == "Running" else None,
        controllers[0] if controllers else "",
        metadata.labels or {},
    )


def _gpus(container: Any) -> int:
    """Return the GPUs, or parts of GPUs, that a container requests."""
    limits = (container.resources and container.resources.limits) or {}
    return sum(int(number) for name, number in limits.items() if name.startswith(_GPUS))


def _refused(error: ApiException) -> Exception:
    """Return a RefusedError for what no repetition changes, else the error."""
    if error.status not in _REFUSED:
        return error
    try:
        reason = str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        reason = str(error.reason)
    return RefusedError(f"the API server refuses it: {reason}")
