"""What users and controllers may do by the rights of the cluster (RBAC), so that only policies refuse."""

from __future__ import annotations

from tests.end_to_end.guardrail_cases import (
    ARGO,
    CONTROLLER,
    HUB,
    INSIDER,
    JOBSET,
    KUEUE,
    LWS,
    NEIGHBOUR,
    OPERATOR,
    RAY,
)
from tests.end_to_end.guardrails import Cluster


def grant_everything(cluster: Cluster, name: str) -> None:
    """Let the insider and the controllers do everything in a namespace."""
    api = "rbac.authorization.k8s.io"
    where = f"/apis/{api}/v1/namespaces/{name}"
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    cluster.create(f"{where}/roles", {"metadata": {"name": "insider"}, "rules": [rule]})
    subjects = [{"kind": "Group", "name": INSIDER[1], "apiGroup": api}]
    for controller in (CONTROLLER, JOBSET, KUEUE, LWS, ARGO, RAY, HUB, NEIGHBOUR):
        _, _, where_from, account_name = controller[0].split(":")
        subjects.append({"kind": "ServiceAccount", "name": account_name, "namespace": where_from})
    reference = {"kind": "Role", "name": "insider", "apiGroup": api}
    binding = {"metadata": {"name": "insider"}, "subjects": subjects, "roleRef": reference}
    cluster.create(f"{where}/rolebindings", binding)


def grant_namespaces(cluster: Cluster) -> None:
    """Let operators, and an account of a team, create namespaces."""
    api = "rbac.authorization.k8s.io"
    resources = ["namespaces", "namespaces/status", "namespaces/finalize"]
    rule = {"apiGroups": [""], "resources": resources, "verbs": ["*"]}
    cluster.create(f"/apis/{api}/v1/clusterroles", {"metadata": {"name": "operator"}, "rules": [rule]})
    _, _, where_from, account_name = NEIGHBOUR[0].split(":")
    subjects = [
        {"kind": "Group", "name": OPERATOR[1], "apiGroup": api},
        {"kind": "ServiceAccount", "name": account_name, "namespace": where_from},
    ]
    reference = {"kind": "ClusterRole", "name": "operator", "apiGroup": api}
    binding = {"metadata": {"name": "operator"}, "subjects": subjects, "roleRef": reference}
    cluster.create(f"/apis/{api}/v1/clusterrolebindings", binding)
