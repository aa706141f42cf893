"""A cloud as the simulation around the control plane sees it, over HTTP.

It speaks to the API server, from another process; the cloud's `controller_api` module answers what it asks,
behind `/_twin/view/<name>`.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from twin import credential
from twin.instances import Instance
from twin.kubernetes.cloud_interface import (
    Addon,
    Cluster,
    Group,
    InsufficientCapacity,
    Machine,
    Principal,
    Taint,
)

_TIMEOUT: Final = 30.0


class ApiServerError(Exception):
    """The API server refused; the text is its own."""


class CloudView:
    """An instance's cloud, seen from the control plane. Threads may share it: each has its own connection.

    SHORT, DENIED: the codes of refusals that mean no machines, and no rights.
    """

    SHORT: ClassVar[frozenset[str]] = frozenset()
    DENIED: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._local = threading.local()

    def cluster(self) -> Cluster | None:
        """The one cluster of this instance, or None."""
        cluster = self.ask("cluster")["cluster"]
        return Cluster(**cluster) if cluster else None

    def cluster_ready(self, endpoint: str, certificate_authority: str) -> None:
        """The control plane is fresh and answers: CREATING becomes ACTIVE. CA: base64 of the PEM."""
        self.ask("cluster_ready", endpoint=endpoint, certificate_authority=certificate_authority)

    def cluster_gone(self) -> None:
        """The control plane was wiped: DELETING ends."""
        self.ask("cluster_gone")

    def machines(self) -> Sequence[Machine]:
        """The machines that should be Nodes now."""
        return [_machine(machine) for machine in self.ask("machines")["machines"]]

    def groups(self) -> Sequence[Group]:
        """The groups that can grow."""
        return [
            Group(**{**group, "template": _machine(group["template"])})
            for group in self.ask("groups")["groups"]
        ]

    def node_group_health(self, node_group: str, ready: int, issues: Sequence[str]) -> None:
        """How many of a node group's nodes are Ready; the cloud moves its status (ACTIVE, DEGRADED)."""
        self.ask("node_group_health", node_group=node_group, ready=ready, issues=list(issues))

    def set_desired(self, group: str, count: int, *, role: str) -> None:
        """Ask for that many machines with the rights of a role (arn). Raises PermissionError when the role
        may not, InsufficientCapacity when there are none."""
        self.ask("set_desired", group=group, count=count, role=role)

    def terminate(self, group: str, provider_id: str, *, role: str) -> None:
        """Take one machine out and lower the desired number."""
        self.ask("terminate", group=group, provider_id=provider_id, role=role)

    def addons(self) -> Sequence[Addon]:
        """The add-ons asked for."""
        return [Addon(**addon) for addon in self.ask("addons")["addons"]]

    def addon_status(self, name: str, status: str, issues: Sequence[str]) -> None:
        """What became of an add-on (ACTIVE, DEGRADED, and why). DELETING with no objects left: `GONE`."""
        self.ask("addon_status", name=name, status=status, issues=list(issues))

    def workload_role(self, namespace: str, service_account: str) -> str | None:
        """The role (arn) that a workload identity binding gives to a service account."""
        return self.ask("workload_role", namespace=namespace, service_account=service_account)["role"]

    def authenticate(self, token: str) -> Principal | None:
        """Who a bearer token is, or None: who has no access entry gets in nowhere."""
        principal = self.ask("authenticate", token=token)["principal"]
        if principal is None:
            return None
        policies = tuple((name, tuple(namespaces)) for name, namespaces in principal.pop("policies"))
        return Principal(**principal, policies=policies)

    def autoscaling_profile(self) -> str:
        """How eagerly the autoscaler built into GKE shrinks: BALANCED or OPTIMIZE_UTILIZATION."""
        return self.ask("settings")["autoscaling_profile"]

    def grow_for(self, request: str, sizes: Mapping[str, int]) -> None:
        """Set the sizes of several groups (by name) of GKE, all or none, and mark the new machines with the
        ProvisioningRequest that they are for. Raises InsufficientCapacity."""
        self.ask("grow_for", request=request, sizes=dict(sizes))

    def ask(self, name: str, /, **body: Any) -> dict[str, Any]:
        """Ask the API server. Raises PermissionError, InsufficientCapacity, ApiServerError; OSError: away."""
        status, answer = self._post(f"/_twin/view/{name}", json.dumps(body).encode())
        if status == 200:
            return answer
        message = f"{name}: {answer.get('message', answer)}"
        if answer.get("code") in self.DENIED:
            raise PermissionError(message)
        if answer.get("code") in self.SHORT:
            raise InsufficientCapacity(message)
        raise ApiServerError(message)

    def _post(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        # A connection that is still open may have died with a restarted API server: a second one decides.
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                port = self._instance.ports["cloud"]
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
                self._local.connection = connection
            try:
                headers = {"Content-Type": "application/json", **credential.headers(self._instance)}
                connection.request("POST", path, body, headers)
                response = connection.getresponse()
                status, answer = response.status, json.loads(response.read())
                # An API server that started since the credential was read has made a new one.
                if (status, attempt) != (http.client.UNAUTHORIZED, 1):
                    return status, answer
            except (OSError, http.client.HTTPException):
                connection.close()
                self._local.connection = None
                if attempt == 2:
                    raise
        raise AssertionError("not reached")


def _machine(answer: dict[str, Any]) -> Machine:
    return Machine(**{**answer, "taints": tuple(Taint(**taint) for taint in answer["taints"])})
