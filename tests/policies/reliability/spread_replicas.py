"""Spec of reliability.spread_replicas."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec
from tests.policies.workloads import agent, deployment

ZONES = [{"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}]
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname"}]
    }
}
SPREAD = "spec.template.spec.topologySpreadConstraints"

SPEC = Spec(
    passes={
        "one replica": deployment(),
        "replicas over zones": deployment(replicas=3, topologySpreadConstraints=ZONES),
        "replicas with anti-affinity": deployment(replicas=2, affinity=APART, kind="StatefulSet"),
        "an agent of every node": agent(),
    },
    fails={
        "defaults": Fails(deployment(replicas=3), SPREAD, "3 replicas may share one node"),
        "an affinity to nodes": Fails(
            deployment(replicas=2, affinity={"nodeAffinity": {}}, kind="StatefulSet"), SPREAD, "2 replicas"
        ),
        "an empty list": Fails(deployment(replicas=2, topologySpreadConstraints=[]), SPREAD),
    },
    unknown={
        "how many": deployment(replicas=UNKNOWN),
        "how they are spread": deployment(replicas=2, topologySpreadConstraints=UNKNOWN),
        "the anti-affinity": deployment(replicas=2, affinity=UNKNOWN),
    },
)
