"""What a cloud's own authorizer allows in addition to RBAC, as RBAC: EKS's access policies, GKE's IAM roles.

Neither is seen in the cluster. The twin adds a group for each policy
to principals that have it, and keeps bindings of these groups. A policy for some namespaces is a group for
each, so that one that is taken away ends with the next token review, whatever bindings are left.
Source of the permissions: docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html; for GKE
"Create IAM allow policies" (what roles/container.admin, .developer and .viewer may do with objects).
"""

from __future__ import annotations

import fnmatch
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml

from twin.kubernetes.api import Kube, Object, passing_over, path
from twin.kubernetes.cloud_interface import Principal

log = logging.getLogger(__name__)

PREFIX: Final = "eks-access-policy:"
GKE: Final = "container."
"""How the policies begin that stand for GKE's IAM roles."""
GKE_PREFIX: Final = "gke-iam:"
LABEL: Final = {"app.kubernetes.io/managed-by": "twin.ai-platform"}
RBAC: Final = "rbac.authorization.k8s.io/v1"
POLICIES: Final[Mapping[str, str | list[Object]]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text("utf-8")
)
"""Policy -> an equal ClusterRole of Kubernetes' own, or the rules of one that is created."""

Grant = tuple[str, str]
"""A policy's name and a pattern of namespaces; an empty pattern is the whole cluster."""


def grants(principal: Principal) -> set[Grant]:
    """What the principal's policies grant. A policy may be named by its ARN."""
    named: set[Grant] = set()
    for name, namespaces in principal.policies:
        short = name.rpartition("/")[2]
        named.update({(short, pattern) for pattern in namespaces} if namespaces else {(short, "")})
    return named


def group(grant: Grant) -> str:
    """The group of who has a grant."""
    policy, pattern = grant
    return f"{_prefix(policy)}{policy}" + (f":{pattern}" if pattern else "")


def _prefix(policy: str) -> str:
    return GKE_PREFIX if policy.startswith(GKE) else PREFIX


def with_groups(principal: Principal) -> Principal:
    """The principal, in the groups of its policies too."""
    more = sorted(group(grant) for grant in grants(principal))
    return replace(principal, groups=[*principal.groups, *more])


class AccessPolicies:
    """Keeps the bindings of all grants that a token showed so far.

    settle: seconds that the API server's authoriser is given to learn of a new binding before the first
    request that needs it goes on.
    """

    def __init__(self, kube: Kube, *, settle: float = 0.0) -> None:
        self._kube = kube
        self._settle = settle
        self._lock = threading.Lock()
        self._known: set[Grant] = set()
        self._bound: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """The control plane was emptied: nothing is bound any more."""
        with self._lock:
            self._known.clear()
            self._bound.clear()

    def admit(self, principal: Principal, namespaces: Iterable[str]) -> Principal:
        """Bind what the principal has, before it gets in; returns it with its groups."""
        with self._lock:
            self._known |= grants(principal)
        if self.step(namespaces):
            time.sleep(self._settle)
        return with_groups(principal)

    def step(self, namespaces: Iterable[str]) -> int:
        """Bind what is known and not yet bound: a namespace may have come since. Answers how many were."""
        existing = list(namespaces)
        with self._lock:
            wanted = [
                (grant, namespace)
                for grant in sorted(self._known)
                for namespace in ([""] if not grant[1] else fnmatch.filter(existing, grant[1]))
                if (group(grant), namespace) not in self._bound
            ]
            for grant, namespace in wanted:
                self._bind(grant, namespace)
                self._bound.add((group(grant), namespace))
            # The bindings of a deleted namespace are deleted with it; one of the same name needs them again.
            gone = {binding for binding in self._bound if binding[1] and binding[1] not in existing}
            self._bound -= gone
            return len(wanted)

    def _bind(self, grant: Grant, namespace: str) -> None:
        policy = grant[0]
        role = POLICIES.get(policy)
        if role is None:
            known = ", ".join(POLICIES)
            log.warning("access policy %s grants nothing in the twin; known are %s", policy, known)
            return
        if not isinstance(role, str):
            rules, role = role, f"{_prefix(policy)}{policy}"
            self._put(path(RBAC, "clusterroles"), _object("ClusterRole", role, "", rules=rules))
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        body = _object(
            kind,
            group(grant).replace("*", "_all_"),
            namespace,
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            subjects=[{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group(grant)}],
        )
        self._put(path(RBAC, kind.lower() + "s", namespace), body)

    def _put(self, where: str, body: Object) -> None:
        with passing_over(409):
            self._kube.create(where, body)


def _object(kind: str, name: str, namespace: str, **rest: object) -> Object:
    metadata: Object = {"name": name, "labels": dict(LABEL)}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": RBAC, "kind": kind, "metadata": metadata, **rest}
