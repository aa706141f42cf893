"""Nodes are repaired and upgraded automatically."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Outcome, Policy, Resource, Violation, any_of, check_each

POLICY = Policy(
    title="Nodes are repaired and upgraded",
    severity="medium",
    description="A node that is not repaired stays in its pool when its kubelet or its GPU fails, and Pods "
    "wait for it. A node that is not upgraded keeps known vulnerabilities, and falls behind its control "
    "plane until it is out of support. GKE does both by default; maintenance windows decide when.",
    remediation="Set `management` of the node pool to autoRepair and autoUpgrade true; use maintenance "
    "windows and exclusions for upgrades that must not interrupt training.",
    frameworks=("CIS GKE 5.5.2", "CIS GKE 5.5.3", "NIST 800-53 SI-2", "SOC 2 CC7.1"),
)

_EFFECTS: Final = {
    "autoRepair": "a node that fails is not repaired",
    "autoUpgrade": "nodes keep their version and its vulnerabilities",
}


_QUEUED: Final = ("queuedProvisioning.enabled", "nodeConfig.flexStart")


@POLICY.on("gcp:container/nodePool:NodePool")
def on_pools(resource: Resource) -> Iterator[Outcome]:
    """Pools with one of them off. Queued nodes must not be repaired: GKE requires it off."""
    yield from check_each(["management.autoUpgrade"], _check, resource)
    path = "management.autoRepair"
    if resource.known(path) is False and not any_of(_QUEUED, lambda queued: resource.known(queued) is True):
        yield from _check(path, resource)


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Outcome]:
    """Pools that a cluster declares or creates, with one of them off."""
    parents = [pool.path for pool in resource.entries("nodePools")]
    created = "clusterAutoscaling.autoProvisioningDefaults"
    paths = [f"{parent}.management.{key}" for parent in (*parents, created) for key in _EFFECTS]
    yield from check_each(paths, _check, resource)


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Node groups with repair disabled explicitly."""
    path = "nodeRepairConfig.enabled"
    if resource.known(path) is False:
        yield Violation(path, f"is false: {_EFFECTS['autoRepair']}")


def _check(path: str, resource: Resource) -> Iterator[Outcome]:
    if resource.known(path) is False:
        yield Violation(path, f"is false: {_EFFECTS[path.rpartition('.')[2]]}")
