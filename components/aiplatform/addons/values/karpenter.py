"""Karpenter: one controller; a second Pod is on standby on another node."""

from typing import Any, Final

from aiplatform.addons.values.setup import Setup, requests, scheduling

MEMORY_OVERHEAD: Final = 0.035
"""Part of a type's memory that Karpenter leaves out until it knows a node of the type and image. With its
default, 7.5 %, it creates no node for a Pod that requests the memory of a whole node as quotas count it
(`queues.amounts`). Where it is less than what a node really lacks, the first node for such a Pod is too
small, and Karpenter then knows the type: small types lack up to 5 %, large ones about 2 %."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. By its defaults the Pods have the priority of critical ones, run on
    different nodes in different zones, and never on a node that Karpenter itself created."""
    return {
        "replicas": setup.replicas,
        "controller": {
            # The digest is part of the tag, as in every chart.
            "image": {**setup.image("karpenter"), "digest": ""},
            # EKS's webhook sets it for Pods that have an association. Without it the controller asks the
            # instance's metadata service, which Pods do not reach.
            "env": [{"name": "AWS_REGION", "value": setup.region}],
            "resources": requests("250m", "1Gi"),
        },
        "settings": {
            "clusterName": setup.cluster,
            "interruptionQueue": setup.interruption_queue,
            "vmMemoryOverheadPercent": MEMORY_OVERHEAD,
            # It replaces a node whose accelerators fail, as node groups do. The cluster's add-on
            # eks-node-monitoring-agent reports them.
            "featureGates": {"nodeRepair": True},
        },
        **scheduling(),
    }
