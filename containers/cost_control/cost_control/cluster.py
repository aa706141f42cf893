"""ClusterQueues of the cluster, and events about them."""

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

_QUEUES: Final = ("kueue.x-k8s.io", "v1beta2", "clusterqueues")
_APPLY: Final = "application/apply-patch+yaml"
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
        found = self.queue(queue)
        if found is None:
            return
        now = datetime.now(UTC)
        event = client.CoreV1Event(
            metadata=client.V1ObjectMeta(generate_name=f"{queue}.", namespace=EVENTS),
            involved_object=client.V1ObjectReference(
                api_version=queues.API_VERSION,
                kind="ClusterQueue",
                name=queue,
                uid=found["metadata"]["uid"],
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
            self._core.create_namespaced_event(EVENTS, event)
        except ApiException as error:
            raise _refused(error) from error


def _refused(error: ApiException) -> Exception:
    """Return a RefusedError for what no repetition changes, else the error."""
    if error.status not in _REFUSED:
        return error
    try:
        reason = str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        reason = str(error.reason)
    return RefusedError(f"the API server refuses it: {reason}")
