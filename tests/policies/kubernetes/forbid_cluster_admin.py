"""Spec of kubernetes.forbid_cluster_admin."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

ACCOUNT = {"kind": "ServiceAccount", "name": "server", "namespace": "serving"}


def _binding(role: Any, *subjects: Any, kind: str = "ClusterRoleBinding") -> Resource:
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return resource(
        f"kubernetes:rbac.authorization.k8s.io/v1:{kind}",
        {"roleRef": ref, "subjects": list(subjects or (ACCOUNT,))},
    )


def _group(name: str) -> dict[str, str]:
    return {"kind": "Group", "name": name}


SPEC = Spec(
    passes={
        "a role declared explicitly": _binding("server"),
        "a group of people": _binding("view", _group("data-scientists@acme.example")),
        "the accounts of one namespace": _binding("server", _group("system:serviceaccounts:serving")),
    },
    fails={
        "cluster-admin": Fails(_binding("cluster-admin"), "roleRef.name", "has every permission"),
        "cluster-admin of a namespace": Fails(
            _binding("cluster-admin", kind="RoleBinding"), "roleRef.name", "cluster-admin"
        ),
        "everyone who has an account": Fails(
            _binding("view", ACCOUNT, _group("system:authenticated")), "subjects[1].name", "authenticated"
        ),
        "the internet": Fails(
            _binding("view", {"kind": "User", "name": "system:anonymous"}), "subjects[0].name", "anonymous"
        ),
    },
    unknown={
        "the role": _binding(UNKNOWN),
        "the subjects": resource(
            "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
            {"roleRef": {"name": "view"}, "subjects": UNKNOWN},
        ),
        "a subject": _binding("view", {"kind": "User", "name": UNKNOWN}),
    },
)
