"""What kube-state-metrics exports of JobSets, TrainJobs, Kueue's workloads and routes (its documentation,
"Custom Resource State Metrics").

Each metric has the labels `namespace` and `name` of the object. The prefix is `kube_customresource_`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_OBJECT: Final = {"namespace": ["metadata", "namespace"], "name": ["metadata", "name"]}


def configuration() -> dict[str, Any]:
    """Return the configuration of kube-state-metrics. Kinds that the cluster lacks are skipped until they are
    there: it watches definitions."""
    return {
        "kind": "CustomResourceStateMetrics",
        "spec": {
            "resources": [
                _resource(
                    "jobset.x-k8s.io",
                    "v1alpha2",
                    "JobSet",
                    _gauge("jobset_restarts", "Its restarts.", ["status", "restarts"]),
                    _gauge("jobset_created", "When it was created, Unix time.", _CREATED),
                    _conditions("jobset_condition", "Its conditions: 1 where true."),
                ),
                _resource(
                    "trainer.kubeflow.org",
                    "v1alpha1",
                    "TrainJob",
                    _gauge("trainjob_created", "When it was created, Unix time.", _CREATED),
                    _conditions("trainjob_condition", "Its conditions: 1 where true."),
                    labels={"runtime": ["spec", "runtimeRef", "name"]},
                ),
                _resource(
                    "kueue.x-k8s.io",
                    "v1beta2",
                    "Workload",
                    _gauge("kueue_workload_created", "When it was created, Unix time.", _CREATED),
                    _gauge("kueue_workload_priority", "Its priority.", ["spec", "priority"]),
                    _gauge("kueue_workload_active", "1 unless it was deactivated.", ["spec", "active"]),
                    _conditions("kueue_workload_condition", "Its conditions: 1 where true."),
                    _conditions(
                        "kueue_workload_condition_changed",
                        "When a condition last changed, Unix time.",
                        value="lastTransitionTime",
                    ),
                    labels={"queue": ["spec", "queueName"]},
                ),
                _resource(
                    "gateway.networking.k8s.io",
                    "v1",
                    "HTTPRoute",
                    _gauge(
                        "httproute_rolled_back",
                        "When a rollout of the service was rolled back, Unix time; 0 after one that was not.",
                        # A rollout writes it (containers/model_rollout/model_rollout/route.py).
                        ["metadata", "annotations", "ai-platform/rolled-back-at"],
                    ),
                ),
            ]
        },
    }


def permissions() -> list[dict[str, Any]]:
    """Return what its ClusterRole allows in addition; the chart adds definitions itself."""
    return [
        _reads("jobset.x-k8s.io", "jobsets"),
        _reads("trainer.kubeflow.org", "trainjobs"),
        _reads("kueue.x-k8s.io", "workloads"),
        _reads("gateway.networking.k8s.io", "httproutes"),
    ]


_CREATED: Final = ("metadata", "creationTimestamp")


def _reads(group: str, resource: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": ["list", "watch"]}


def _resource(
    group: str,
    version: str,
    kind: str,
    *metrics: Mapping[str, Any],
    labels: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    return {
        "groupVersionKind": {"group": group, "version": version, "kind": kind},
        "labelsFromPath": {**_OBJECT, **{name: list(path) for name, path in (labels or {}).items()}},
        "metrics": list(metrics),
    }


def _gauge(name: str, text: str, path: Sequence[str]) -> dict[str, Any]:
    return {
        "name": name,
        "help": text,
        "each": {"type": "Gauge", "gauge": {"path": list(path), "nilIsZero": True}},
    }


def _conditions(name: str, text: str, value: str = "status") -> dict[str, Any]:
    gauge = {
        "path": ["status", "conditions"],
        "labelsFromPath": {"type": ["type"], "reason": ["reason"]},
        "valueFrom": [value],
    }
    return {"name": name, "help": text, "each": {"type": "Gauge", "gauge": gauge}}
