"""Spec of reliability.maintain_nodes."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _pool(**management: Any) -> Resource:
    return resource("gcp:container/nodePool:NodePool", {"cluster": "acme", "management": management})


def _cluster(**props: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", props)


def _group(**repair: Any) -> Resource:
    return resource("aws:eks/nodeGroup:NodeGroup", {"clusterName": "acme", "nodeRepairConfig": repair})


SPEC = Spec(
    passes={
        "both, explicitly": _pool(autoRepair=True, autoUpgrade=True),
        "defaults": resource("gcp:container/nodePool:NodePool", {"cluster": "acme"}),
        "a cluster without pools": _cluster(),
        "a pool whose nodes are queued": resource(
            "gcp:container/nodePool:NodePool",
            {"management": {"autoRepair": False}, "queuedProvisioning": {"enabled": True}},
        ),
        "a pool of the flex start": resource(
            "gcp:container/nodePool:NodePool",
            {"management": {"autoRepair": False}, "nodeConfig": {"flexStart": True}},
        ),
        "a node group": _group(enabled=True),
    },
    fails={
        "no repair": Fails(
            _pool(autoRepair=False, autoUpgrade=True), "management.autoRepair", "not repaired"
        ),
        "no upgrade": Fails(_pool(autoRepair=True, autoUpgrade=False), "management.autoUpgrade"),
        "neither": Fails(_pool(autoRepair=False, autoUpgrade=False), "management.autoUpgrade", count=2),
        "a pool that a cluster declares": Fails(
            _cluster(nodePools=[{"management": {"autoUpgrade": False}}]),
            "nodePools[0].management.autoUpgrade",
        ),
        "pools that a cluster creates": Fails(
            _cluster(clusterAutoscaling={"autoProvisioningDefaults": {"management": {"autoRepair": False}}}),
            "clusterAutoscaling.autoProvisioningDefaults.management.autoRepair",
        ),
        "a node group without repair": Fails(_group(enabled=False), "nodeRepairConfig.enabled"),
    },
    unknown={
        "whether it is": _pool(autoRepair=UNKNOWN),
        "both": resource("gcp:container/nodePool:NodePool", {"management": UNKNOWN}),
        "the pools": _cluster(nodePools=UNKNOWN),
    },
)
