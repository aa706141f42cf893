"""Workloads of one team that name what another team has: no kind gets its queue or its service account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.end_to_end.guardrail_adapters import NETWORK_REFUSED
from tests.end_to_end.guardrail_cases import ARGO, CONTROLLER, INSIDER, REFUSED, Case
from tests.end_to_end.guardrail_objects import (
    GPU,
    QUEUE,
    controlled,
    group_set,
    job,
    job_set,
    pod,
    ray,
    spec,
    train_job,
)
from tests.end_to_end.guardrails import Object

_THEIRS: Final = {**QUEUE, "kueue.x-k8s.io/queue-name": "team-b"}
_NO_QUEUE: Final = "ai-platform: metadata.labels: kueue.x-k8s.io/queue-name is no queue of this namespace"


def _kinds(pod_spec: Object) -> dict[str, Object]:
    """Return a workload of each kind that a queue admits, in the queue of another team."""
    return {
        "Job": job(pod_spec, _THEIRS),
        "JobSet": job_set(pod_spec, _THEIRS),
        "TrainJob": train_job(_THEIRS),
        "RayJob": ray("RayJob", pod_spec, _THEIRS),
        "RayCluster": ray("RayCluster", pod_spec, _THEIRS),
        "LeaderWorkerSet": group_set(pod_spec, _THEIRS),
        "Deployment": controlled("Deployment", pod_spec, _THEIRS),
        "StatefulSet": controlled("StatefulSet", pod_spec, _THEIRS),
    }


OF_ANOTHER_TEAM: Final[Mapping[str, Case]] = {
    **{
        f"{kind} in the queue of another team{suffix}": (INSIDER, body, "team-a", _NO_QUEUE)
        for suffix, resources in (("", GPU), (", without accelerators", None))
        for kind, body in _kinds(spec(resources)).items()
    },
    "Pod of a workflow in the queue of another team": (
        ARGO,
        pod(spec(GPU), _THEIRS, owner="Workflow"),
        "team-a",
        _NO_QUEUE,
    ),
    "Pod of a Job with a service account of another team": (
        CONTROLLER,
        pod(spec(serviceAccountName="of-team-b"), owner="Job"),
        "team-a",
        "service account team-a/of-team-b",
    ),
}
"""Refused in the namespace team-a. team-b has a queue and a service account of these names."""

ALL_REFUSED: Final[Mapping[str, Case]] = {**REFUSED, **NETWORK_REFUSED, **OF_ANOTHER_TEAM}
"""All requests that the guardrails refuse."""
