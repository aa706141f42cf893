"""Spec of reliability.budget_disruptions."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource, stack
from tests.policies.workloads import deployment, metadata

SERVER = {"matchLabels": {"app": "server"}}


def _budget(selector: Any = SERVER, namespace: Any = "serving", **spec: Any) -> Resource:
    props = {
        "metadata": metadata(namespace),
        "spec": {"selector": selector, **(spec or {"maxUnavailable": 1})},
    }
    return resource("kubernetes:policy/v1:PodDisruptionBudget", props, name="budget")


def _scaler(least: int) -> Resource:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"}
    props = {"metadata": metadata(), "spec": {"scaleTargetRef": target, "minReplicas": least}}
    return resource("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", props, name="scaler")


SPEC = Spec(
    passes={
        "a budget": stack(deployment(replicas=3), _budget()),
        "one replica": stack(deployment(replicas=1)),
        "a workload that is scaled, with a budget": stack(deployment(), _scaler(2), _budget()),
        "a workload that may be scaled to one": stack(deployment(), _scaler(1)),
        "a budget alone": _budget(),
        "a budget that leaves some": _budget(minAvailable="50%"),
        "a budget of two replicas that needs one": stack(deployment(replicas=2), _budget(minAvailable=1)),
        "a budget that needs half of two replicas": stack(
            deployment(replicas=2), _budget(minAvailable="50%")
        ),
        "a budget of a workload that is scaled from two": stack(
            deployment(), _scaler(2), _budget(minAvailable=1)
        ),
        "a budget that needs one of two workloads": stack(
            deployment(replicas=1), deployment(name="second", replicas=1), _budget(minAvailable=1)
        ),
        "a budget of a workload without replicas": stack(deployment(replicas=0), _budget(minAvailable=1)),
        "a budget that selects by expressions": stack(
            deployment(replicas=1),
            _budget(
                {"matchExpressions": [{"key": "app", "operator": "In", "values": ["other"]}]},
                minAvailable=1,
            ),
        ),
        "a budget that needs one of another workload": stack(
            deployment(replicas=1), _budget({"matchLabels": {"app": "other"}}, minAvailable=1)
        ),
    },
    fails={
        "no budget": Fails(
            stack(deployment(replicas=3)), "spec.replicas", "3 replicas may all be evicted", of="it"
        ),
        "no budget for a workload that is scaled": Fails(
            stack(deployment(), _scaler(2)), "spec.replicas", "2 replicas"
        ),
        "a budget of another workload": Fails(
            stack(deployment(replicas=2), _budget({"matchLabels": {"app": "other"}})), "spec.replicas"
        ),
        "a budget of another namespace": Fails(
            stack(deployment(replicas=2), _budget(namespace="other")), "spec.replicas"
        ),
        "a budget of nothing": Fails(_budget(maxUnavailable=0), "spec.maxUnavailable", "cannot be drained"),
        "a budget that needs the only replica": Fails(
            stack(deployment(replicas=1), _budget(minAvailable=1)),
            "spec.minAvailable",
            "is 1 of 1 replicas",
            of="budget",
        ),
        "a budget that needs half of a single replica": Fails(
            stack(deployment(), _budget(minAvailable="50%")), "spec.minAvailable", "'50%' of 1", of="budget"
        ),
        "a budget that needs the least replicas of a workload that is scaled": Fails(
            stack(deployment(), _scaler(2), _budget(minAvailable=2)),
            "spec.minAvailable",
            "2 of 2",
            of="budget",
        ),
        "a budget that leaves all": Fails(_budget(minAvailable="100%"), "spec.minAvailable", "'100%'"),
    },
    unknown={
        "how many replicas": stack(deployment(replicas=UNKNOWN)),
        "the pods that a budget selects": stack(deployment(replicas=2), _budget(UNKNOWN)),
        "how much a budget allows": _budget(maxUnavailable=UNKNOWN),
    },
)
