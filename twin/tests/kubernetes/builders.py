"""Kubernetes objects for tests, as short as they can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from twin.kubernetes.api import Object


def ago(seconds: float = 0.0) -> str:
    """A timestamp in Kubernetes' form."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(
    name: str = "train",
    *,
    requests: Mapping[str, str] | None = None,
    node: str = "",
    phase: str = "Pending",
    owner: str = "",
    image: str = "busybox:1",
    namespace: str = "default",
    labels: Mapping[str, str] | None = None,
    age: float = 60.0,
    **spec: Any,
) -> Object:
    """A Pod; one without a node is unschedulable, one that runs is Ready."""
    conditions: list[Object] = []
    if phase == "Running":
        conditions.append({"type": "Ready", "status": "True"})
    if not node:
        conditions.append({"type": "PodScheduled", "status": "False", "reason": "Unschedulable"})
    metadata: Object = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{namespace}-{name}",
        "labels": dict(labels or {}),
        "creationTimestamp": ago(age),
    }
    if owner:
        metadata["ownerReferences"] = [{"kind": owner, "name": "owner", "controller": True}]
    container = {"name": "main", "image": image, "resources": {"requests": dict(requests or {})}}
    return {
        "metadata": metadata,
        "spec": {"containers": [container], **({"nodeName": node} if node else {}), **spec},
        "status": {"phase": phase, "conditions": conditions},
    }


def node(
    name: str = "node-1",
    *,
    ready: bool = True,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    since: float = 600.0,
    resources: Mapping[str, str] | None = None,
) -> Object:
    """A Node."""
    amounts = {"cpu": "4", "memory": "16Gi", "pods": "58", **(resources or {})}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "labels": {"kubernetes.io/hostname": name, **(labels or {})},
            "annotations": {},
            "resourceVersion": "1",
            "creationTimestamp": ago(since),
        },
        "spec": {"taints": [dict(taint) for taint in taints]},
        "status": {
            "capacity": dict(amounts),
            "allocatable": amounts,
            "conditions": [
                {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": ago(since)}
            ],
        },
    }


def deployment(
    name: str = "cluster-autoscaler",
    *,
    args: Sequence[str] = (),
    image: str = "registry.k8s.io/autoscaling/cluster-autoscaler:v1.36.0",
    namespace: str = "kube-system",
) -> Object:
    """A Deployment of one container."""
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "generation": 1},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image, "args": list(args)}]},
            },
        },
    }
