"""Is a Cluster Autoscaler installed, does it run, and may it do its work?

Nothing grows without one. What the real one would fail at is found here, and said: on the Deployment as an
Event, and in the log.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.kubernetes.api import Kube, Object
from twin.kubernetes.autoscaler.flags import FlagError, Flags, parse
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.informer import Mirror
from twin.kubernetes.pods import leaving, ready, repository
from twin.kubernetes.scheduling_predicates import selector_holds

CHECK_AGAIN: Final = 60.0
"""Seconds for which an answer about rights is taken as it was."""
LISTED: Final = (
    ("", "nodes"),
    ("", "pods"),
    ("", "namespaces"),
    ("", "services"),
    ("", "replicationcontrollers"),
    ("", "persistentvolumes"),
    ("", "persistentvolumeclaims"),
    ("apps", "daemonsets"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
    ("policy", "poddisruptionbudgets"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csistoragecapacities"),
)
"""What its informers list and watch before its first loop: one that is forbidden keeps it waiting for ever.
Source: the ClusterRole of the project's own Helm chart."""


@dataclass(frozen=True)
class Installed:
    """An autoscaler at work. role: the cloud role that its service account has."""

    deployment: Object
    namespace: str
    service_account: str
    flags: Flags
    role: str


class NotWorking(Exception):  # noqa: N818 - a state, and no error of the caller
    """There is an autoscaler, and it cannot work; `deployment` is where to say so."""

    def __init__(self, deployment: Object, reason: str, message: str) -> None:
        super().__init__(message)
        self.deployment = deployment
        self.reason = reason


class Installation:
    """Finds the autoscaler in the mirror, and asks for its rights now and then."""

    def __init__(self, view: CloudView, kube: Kube, mirror: Mirror, provider: str) -> None:
        self._view = view
        self._kube = kube
        self._mirror = mirror
        self._provider = provider
        self._asked: dict[tuple[str, ...], tuple[float, bool]] = {}

    def find(self) -> Installed | None:
        """The autoscaler at work; None where there is none or its Pod is not Ready. Raises `NotWorking`."""
        for deployment in sorted(self._mirror.all("deployments"), key=lambda item: item["metadata"]["name"]):
            container = _container(deployment)
            if container is None or leaving(deployment):
                continue
            pod = self._ready_pod(deployment)
            if pod is not None:
                return self._working(deployment, container, pod)
        return None

    def _ready_pod(self, deployment: Object) -> Object | None:
        namespace, selector = deployment["metadata"]["namespace"], deployment["spec"]["selector"]
        for pod in self._mirror.all("pods"):
            metadata = pod["metadata"]
            if metadata["namespace"] != namespace or leaving(pod) or not ready(pod):
                continue
            if selector_holds(selector, metadata.get("labels") or {}):
                return pod
        return None

    def _working(self, deployment: Object, container: Mapping[str, Any], pod: Object) -> Installed:
        try:
            flags = parse([*(container.get("command") or ()), *(container.get("args") or ())])
        except FlagError as error:
            raise NotWorking(deployment, "InvalidFlags", f"cluster-autoscaler would exit: {error}") from error
        if flags.cloud_provider != self._provider:
            raise NotWorking(
                deployment,
                "InvalidFlags",
                f"cluster-autoscaler runs with --cloud-provider={flags.cloud_provider}; "
                f"here --cloud-provider={self._provider} is right",
            )
        namespace = deployment["metadata"]["namespace"]
        account = pod["spec"].get("serviceAccountName") or "default"
        self._rights(deployment, namespace, account, flags)
        role = self._view.workload_role(namespace, account)
        if role is None:
            raise NotWorking(
                deployment,
                "NoCredentials",
                f"service account {namespace}/{account} has no role in the cloud: bind one by a pod identity "
                "association (or the annotation of an IAM role for service accounts)",
            )
        return Installed(deployment, namespace, account, flags, role)

    def _rights(self, deployment: Object, namespace: str, account: str, flags: Flags) -> None:
        user = f"system:serviceaccount:{namespace}:{account}"
        wanted: list[dict[str, str]] = [
            {"verb": verb, "group": group, "resource": resource}
            for group, resource in LISTED
            for verb in ("list", "watch")
        ]
        wanted.append({"verb": "create", "resource": "events", "namespace": namespace})
        if flags.leader_elect:
            lease = {"group": "coordination.k8s.io", "resource": "leases", "namespace": namespace}
            wanted.append({"verb": "create", **lease})
            wanted += [{"verb": verb, "name": "cluster-autoscaler", **lease} for verb in ("get", "update")]
        if "priority" in flags.expanders:
            settings = {"resource": "configmaps", "namespace": namespace}
            wanted += [{"verb": verb, **settings} for verb in ("list", "watch")]
        missing = [access for access in wanted if not self.may(user, access)]
        if missing:
            words = ", ".join(
                f"{access['verb']} {access['resource']}{'.' + access['group'] if access.get('group') else ''}"
                for access in missing[:6]
            )
            raise NotWorking(
                deployment,
                "Forbidden",
                f"{user} may not {words}{' and more' if len(missing) > 6 else ''}: "
                "cluster-autoscaler waits for its caches and does nothing; extend its ClusterRole or Role",
            )

    def may(self, user: str, attributes: Mapping[str, str]) -> bool:
        """Whether the user has a right, by a SubjectAccessReview; remembered for a minute."""
        key = (user, *(f"{name}={value}" for name, value in sorted(attributes.items())))
        when, allowed = self._asked.get(key, (-CHECK_AGAIN, False))
        # A right that is missing is asked for more often: the program may be about to grant it.
        if time.monotonic() - when < (CHECK_AGAIN if allowed else 2.0):
            return allowed
        groups = [
            "system:serviceaccounts",
            f"system:serviceaccounts:{user.split(':')[2]}",
            "system:authenticated",
        ]
        answer = self._kube.create(
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SubjectAccessReview",
                "spec": {"user": user, "groups": groups, "resourceAttributes": dict(attributes)},
            },
        )
        allowed = bool((answer.get("status") or {}).get("allowed"))
        self._asked[key] = (time.monotonic(), allowed)
        return allowed


def _container(deployment: Object) -> Mapping[str, Any] | None:
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        if repository(container.get("image") or "").endswith("cluster-autoscaler"):
            return container
    return None
