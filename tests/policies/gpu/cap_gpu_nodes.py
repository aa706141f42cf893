"""Spec of gpu.cap_gpu_nodes."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource


def _group(most: Any, machine: str = "p5.48xlarge") -> Resource:
    scaling = {"minSize": 0, "desiredSize": 0, "maxSize": most}
    return resource("aws:eks/nodeGroup:NodeGroup", {"instanceTypes": [machine], "scalingConfig": scaling})


def _pool(**props: Any) -> Resource:
    return resource(
        "gcp:container/nodePool:NodePool", {"nodeConfig": {"machineType": "g2-standard-8"}, **props}
    )


SPEC = Spec(
    passes={
        "a few": _group(4),
        "many without accelerators": _group(100, "m7i.large"),
        "a few in all": _pool(autoscaling={"totalMaxNodeCount": 16}, nodeLocations=["a", "b", "c"]),
        "a few in each zone": _pool(autoscaling={"maxNodeCount": 5}, nodeLocations=["a", "b", "c"]),
    },
    fails={
        "one zero too many": Fails(_group(160), "scalingConfig.maxSize", "allows 160 nodes, more than 16"),
        "many in all": Fails(
            _pool(autoscaling={"totalMaxNodeCount": 17}), "autoscaling.totalMaxNodeCount", "17 nodes"
        ),
        "a few, times three": Fails(
            _pool(autoscaling={"maxNodeCount": 6}, nodeLocations=["a", "b", "c"]),
            "autoscaling.maxNodeCount",
            "6 nodes in each of 3 zones",
        ),
        "a fixed size": Fails(_pool(nodeCount=20), "nodeCount", "20 nodes"),
    },
    unknown={
        "a size": _group(UNKNOWN),
        "a limit": _pool(autoscaling={"totalMaxNodeCount": UNKNOWN}),
        "zones of a limit in each": _pool(autoscaling={"maxNodeCount": 6}, nodeLocations=UNKNOWN),
    },
    configured={
        "dev has two": Case(_group(4), {"most": 2}, fails=True),
        "a large training": Case(_group(64), {"most": 64}, fails=False),
    },
)
