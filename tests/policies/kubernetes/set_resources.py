"""Spec of kubernetes.set_resources."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import (
    GOOD_WORKLOADS,
    RAY_WORKER,
    ray_cluster,
    serving_runtime,
    training_runtime,
)
from tests.policies.spec import UNKNOWN, Fails, Spec
from tests.policies.workloads import container, cron_job, deployment

RESOURCES = "spec.template.spec.containers[0].resources"


def _with(requests: Any, limits: Any) -> dict[str, Any]:
    return container(resources={"requests": requests, "limits": limits})


SPEC = Spec(
    passes={
        "requests and a limit of memory": deployment(
            _with({"cpu": "100m", "memory": "1Gi"}, {"memory": "1Gi"})
        ),
        "limits that are requests, too": deployment(_with(None, {"cpu": "1", "memory": "1Gi"})),
        "requests that are not known, and are there": deployment(
            _with({"cpu": "100m"}, {"memory": "1Gi", "nvidia.com/gpu": UNKNOWN})
        ),
        **GOOD_WORKLOADS,
        "a runtime of KServe, whose users state the resources": serving_runtime(),
        "a runtime of Kubeflow, whose users state the resources": training_runtime(),
    },
    fails={
        "a worker of Ray": Fails(
            ray_cluster(), f"{RAY_WORKER}.containers[0].resources.limits.memory", count=3
        ),
        "defaults": Fails(deployment(), f"{RESOURCES}.requests.cpu", "no cpu in its requests", count=3),
        "no limit": Fails(
            deployment(_with({"cpu": "100m", "memory": "1Gi"}, None)),
            f"{RESOURCES}.limits.memory",
            "'server' has no memory in its limits",
        ),
        "a GPU alone": Fails(
            deployment(_with(None, {"nvidia.com/gpu": 1, "memory": "8Gi"})), f"{RESOURCES}.requests.cpu"
        ),
        "an init container": Fails(
            cron_job(
                _with({"cpu": "1"}, {"memory": "1Gi"}),
                initContainers=[_with({"cpu": "1", "memory": "1Gi"}, {})],
            ),
            "spec.jobTemplate.spec.template.spec.initContainers[0].resources.limits.memory",
        ),
    },
    unknown={
        "the resources": deployment(container(resources=UNKNOWN)),
        "the limit": deployment(_with({"cpu": "1", "memory": "1Gi"}, {"memory": UNKNOWN})),
    },
)
