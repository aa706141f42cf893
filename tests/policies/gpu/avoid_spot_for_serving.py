"""Spec of gpu.serve_on_lasting_nodes."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource


def _group(name: str, kind: Any, **labels: str) -> Resource:
    return resource("aws:eks/nodeGroup:NodeGroup", {"capacityType": kind, "labels": labels}, name=name)


def _pool(name: str, **config: Any) -> Resource:
    return resource("gcp:container/nodePool:NodePool", {"nodeConfig": config}, name=name)


SPEC = Spec(
    passes={
        "training on spot": _group("training", "SPOT"),
        "serving on demand": _group("serving", "ON_DEMAND"),
        "training on spot on Google Cloud": _pool("training", spot=True),
        "a word that only looks like it": _group("observing", "SPOT"),
    },
    fails={
        "serving on spot": Fails(_group("serving-spot", "SPOT"), "capacityType", "'SPOT'"),
        "serving by its label": Fails(_group("l4", "SPOT", workload="inference"), "capacityType"),
        "serving by its taint": Fails(
            _pool("l4", spot=True, taints=[{"key": "for", "value": "serving", "effect": "NO_SCHEDULE"}]),
            "nodeConfig.spot",
        ),
        "preemptible": Fails(_pool("serving", preemptible=True), "nodeConfig.preemptible"),
    },
    unknown={"a capacity": _group("serving", UNKNOWN), "Google's": _pool("serving", spot=UNKNOWN)},
    configured={
        "another word": Case(_group("gateway", "SPOT"), {"words": ["gateway"]}, fails=True),
        "batches are no serving": Case(_group("inference", "SPOT"), {"words": ["serving"]}, fails=False),
    },
)
