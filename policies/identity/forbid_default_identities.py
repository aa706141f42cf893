"""Workloads have identities of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import members

POLICY = Policy(
    title="No default identities",
    severity="high",
    description="The default service accounts of Compute Engine and App Engine are shared by all that "
    "says nothing, and often are editors of the project; `default` in a Kubernetes namespace "
    "is shared by every pod that says nothing. Rights for them are rights for whatever comes.",
    remediation="Make a service account for the workload, name it, and give the rights to that one.",
    frameworks=("CIS GCP 4.1", "CIS GKE 5.2.1", "CIS EKS 4.1.5", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_DEFAULTS: Final = ("-compute@developer.gserviceaccount.com", "@appspot.gserviceaccount.com")
# Where a type names its service account, and how what uses the default when nothing is said is called.
_NAMED: Final[Mapping[str, str]] = {
    "gcp:container/nodePool:NodePool": "nodeConfig.serviceAccount",
    "gcp:cloudrunv2/service:Service": "template.serviceAccount",
    "gcp:cloudrunv2/job:Job": "template.template.serviceAccount",
    "gcp:cloudfunctionsv2/function:Function": "serviceConfig.serviceAccountEmail",
    "gcp:dataproc/cluster:Cluster": "clusterConfig.gceClusterConfig.serviceAccount",
}
_MACHINES: Final = (
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)


def _is_default(account: Any) -> bool:
    return account == "default" or str(account).endswith(_DEFAULTS)


def _judged(path: str, account: Any) -> Iterator[Judgement]:
    if account is UNKNOWN:
        yield Undecided(path)
    elif account in (None, ""):
        yield Finding(path, "is missing, so that the project's default service account is taken")
    elif _is_default(account):
        yield Finding(path, f"is {account!r}, which all share that say nothing")


@POLICY.on(*_NAMED)
def on_services(resource: Resource) -> Iterator[Judgement]:
    """What takes the default account when nothing is said."""
    path = _NAMED[resource.type]
    yield from _judged(path, resource.get(path))


@POLICY.on(*_MACHINES)
def on_machines(resource: Resource) -> Iterator[Judgement]:
    """Machines with a service account that is the default one; without the block they have none."""
    account = resource.get("serviceAccount")
    if account is UNKNOWN:
        yield Undecided("serviceAccount")
    elif account is not None:
        yield from _judged("serviceAccount.email", resource.get("serviceAccount.email"))


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Judgement]:
    """Clusters that keep the first pool, or make pools by themselves."""
    automatic = resource.get("clusterAutoscaling.enabled") is True
    if automatic or resource.get("enableAutopilot") is True:
        path = "clusterAutoscaling.autoProvisioningDefaults.serviceAccount"
        yield from _judged(path, resource.get(path))
    no_first = ("enableAutopilot", "removeDefaultNodePool")
    if all(resource.get(key) is not True for key in no_first) and not list(resource.items("nodePools")):
        yield from _judged("nodeConfig.serviceAccount", resource.get("nodeConfig.serviceAccount"))


@POLICY.on("gcp:")
def on_bindings(resource: Resource) -> Iterator[Judgement]:
    """Rights for default accounts."""
    for path, member in members(resource):
        if member is not UNKNOWN and str(member).endswith(_DEFAULTS):
            yield Finding(
                path, f"gives {resource.get('role')!r} to {member!r}, which all share that say nothing"
            )


@POLICY.on(
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
)
def on_kubernetes(resource: Resource) -> Iterator[Judgement]:
    """Rights for `default` in a namespace."""
    if resource.get("subjects") is UNKNOWN:
        yield Undecided("subjects")
    for path, subject in resource.items("subjects"):
        if subject.get("kind") == "ServiceAccount" and subject.get("name") == "default":
            role = resource.get("roleRef.name")
            yield Finding(f"{path}.name", f"gives {role!r} to 'default', every pod that says nothing")
