"""Who a Google access token is in the cluster: the account's email, and what its IAM roles allow there.

GKE asks IAM next to RBAC, by an authoriser that is hidden. Here each permission that gives a whole class of
rights becomes a policy, which twin/kubernetes/access_policies.py binds to a ClusterRole.
Sources: "About access control in GKE", "Create IAM allow policies" (container roles), "Authorize actions in
clusters using RBAC" (user names).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twin.gcp import services
from twin.gcp.services.container.operations import resource_names

if TYPE_CHECKING:
    from twin.gcp.api_server.server import ApiServer

POLICIES: Final[tuple[tuple[str, ...], ...]] = services.tables("container")["access_policies"]


def authenticate(server: ApiServer, token: str) -> dict[str, Any] | None:
    """The principal of a token, or None. Every account of Google's gets in; rights are another thing."""
    member = server.identity.authenticate(token)
    if member is None or resource_names.only(server.state) is None:
        return None
    kind, _, email = member.partition(":")
    if kind not in ("user", "serviceAccount"):
        return None
    policy = next((name for name, right in POLICIES if server.identity.allowed(member, right)), None)
    account = server.state.get(f"iam/projects/{server.instance.account}/serviceAccounts/{email}") or {}
    return {
        "username": email,
        "groups": ["system:authenticated"],
        "uid": account.get("uniqueId", ""),
        "extra": {"iam.gke.io/user-assertion": [member]},
        "policies": [(policy, [])] if policy else [],
    }


def _workload_pool(server: ApiServer) -> str | None:
    _, cluster = resource_names.only(server.state) or (None, {})
    return (cluster.get("workloadIdentityConfig") or {}).get("workloadPool")


def workload_account(server: ApiServer, namespace: str, service_account: str) -> str | None:
    """The IAM service account that a Kubernetes service account may act as (Workload Identity)."""
    pool = _workload_pool(server)
    if not pool:
        return None
    member = f"serviceAccount:{pool}[{namespace}/{service_account}]"
    for name, policy in server.state.policies():
        if not name.startswith("iam/") or "/serviceAccounts/" not in name:
            continue
        for binding in policy.get("bindings", ()):
            if binding["role"] == "roles/iam.workloadIdentityUser" and member in binding["members"]:
                return name.rpartition("/")[2]
    return None


def workload_token(server: ApiServer, namespace: str, service_account: str, account: str) -> str | None:
    """An access token for Pods of a Kubernetes service account (Workload Identity Federation for GKE).

    account: the IAM service account that its annotation names; empty: the federated identity itself. None
    where the cluster has no workload pool, or it may not impersonate the account.
    """
    pool = _workload_pool(server)
    if not pool:
        return None
    if not account:
        place = f"projects/{server.project_number}/locations/global/workloadIdentityPools/{pool}"
        subject = f"subject/ns/{namespace}/sa/{service_account}"
        return server.identity.token(f"principal://iam.googleapis.com/{place}/{subject}")
    if workload_account(server, namespace, service_account) != account:
        return None
    return server.identity.token(f"serviceAccount:{account}")
