"""Karpenter: one controller; a second Pod is on standby on another node."""

from typing import Any

from aiplatform.addons.values.setup import Setup, requests, scheduling


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. By its defaults the Pods have the priority of critical ones, run on
    different nodes in different zones, and never on a node that Karpenter itself created."""
    return {
        "replicas": setup.replicas,
        "controller": {
            # The digest is part of the tag, as in every chart.
            "image": {**setup.image("karpenter"), "digest": ""},
            "resources": requests("250m", "1Gi"),
        },
        "settings": {
            "clusterName": setup.cluster,
            "interruptionQueue": setup.interruption_queue,
            # It replaces a node whose accelerators fail, as node groups do. The cluster's add-on
            # eks-node-monitoring-agent reports them.
            "featureGates": {"nodeRepair": True},
        },
        **scheduling(),
    }
