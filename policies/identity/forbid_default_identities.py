"""Workloads have dedicated identities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.google_bindings import Grant, grants

POLICY = Policy(
    title="No default identities",
    severity="high",
    description="All workloads without a service account share the default ones of Compute Engine and App "
    "Engine, which are often editors of the project; all pods without one share `default` of their "
    "Kubernetes namespace. Their permissions apply to every future workload.",
    remediation="Create a service account for the workload, name it, and give the permissions to it.",
    frameworks=("CIS GCP 4.1", "CIS GKE 5.2.1", "CIS EKS 4.1.5", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_DEFAULTS: Final = ("-compute@developer.gserviceaccount.com", "@appspot.gserviceaccount.com")
_SERVICE_ACCOUNTS: Final[Mapping[str, str]] = {
    "gcp:container/nodePool:NodePool": "nodeConfig.serviceAccount",
    "gcp:cloudrunv2/service:Service": "template.serviceAccount",
    "gcp:cloudrunv2/job:Job": "template.template.serviceAccount",
    "gcp:cloudfunctionsv2/function:Function": "serviceConfig.serviceAccountEmail",
    "gcp:dataproc/cluster:Cluster": "clusterConfig.gceClusterConfig.serviceAccount",
}
"""Type -> the property path of its service account, without which it has the default one."""
_MACHINES: Final = (
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)


def _check_account(path: str, account: Any) -> Iterator[Outcome]:
    if account in (None, ""):
        yield Violation(path, "is not set, so that the project's default service account is used")
    elif account == "default" or str(account).endswith(_DEFAULTS):
        yield Violation(path, f"is {account!r}, which all workloads without a service account share")


@POLICY.on(*_SERVICE_ACCOUNTS)
def on_services(resource: Resource) -> Iterator[Outcome]:
    """Workloads with the default account."""
    path = _SERVICE_ACCOUNTS[resource.type]
    yield from _check_account(path, resource.known(path))


@POLICY.on(*_MACHINES)
def on_machines(resource: Resource) -> Iterator[Outcome]:
    """Machines with the default account; without the block they have none."""
    if resource.known("serviceAccount") is not None:
        yield from _check_account("serviceAccount.email", resource.known("serviceAccount.email"))


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Outcome]:
    """Clusters that keep their default pool, or create pools."""
    yield from check_each(["clusterAutoscaling"], _check_created_pools, resource)
    without_default_pool = ("enableAutopilot", "removeDefaultNodePool")
    if any(resource.known(key) is True for key in without_default_pool) or list(
        resource.entries("nodePools")
    ):
        return
    yield from _check_account("nodeConfig.serviceAccount", resource.known("nodeConfig.serviceAccount"))


def _check_created_pools(path: str, resource: Resource) -> Iterator[Outcome]:
    if resource.raw("enableAutopilot") is True or resource.known(f"{path}.enabled") is True:
        account = f"{path}.autoProvisioningDefaults.serviceAccount"
        yield from _check_account(account, resource.known(account))


@POLICY.on("gcp:")
def on_bindings(resource: Resource) -> Iterator[Outcome]:
    """Roles of default accounts."""
    yield from check_each(grants(resource), _check_grant)


def _check_grant(grant: Grant) -> Iterator[Outcome]:
    yield from check_each(grant.members, _check_member, grant)


def _check_member(entry: Entry, grant: Grant) -> Iterator[Outcome]:
    member = str(entry.known())
    if member.endswith(_DEFAULTS):
        problem = (
            f"gives {grant.role_name} to {member!r}, which all workloads without a service account share"
        )
        yield Violation(entry.path, problem)


@POLICY.on(
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
)
def on_kubernetes(resource: Resource) -> Iterator[Outcome]:
    """Roles of `default` in a namespace."""
    yield from check_each(resource.entries("subjects"), _check_subject, resource)


def _check_subject(subject: Entry, resource: Resource) -> Iterator[Outcome]:
    if subject.known("kind") == "ServiceAccount" and subject.known("name") == "default":
        role = resource.raw("roleRef.name")
        yield Violation(
            subject.where("name"), f"gives {role!r} to 'default', which all pods without an account share"
        )
