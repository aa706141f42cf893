"""Kueue: one manager with its webhooks, whose certificate it writes itself, and its configuration."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aiplatform._shared.kubernetes.node_labels import CLAIMED_GPU, GPU_CLASS
from aiplatform.addons.pods_ready import PodsReady
from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling

MANAGED_NAMESPACES: Final[Mapping[str, str]] = {"kueue.x-k8s.io/managed-namespace": "true"}
"""The label of namespaces whose workloads Kueue manages. Only the platform sets it."""
INTEGRATIONS: Final = (
    "batch/job",
    "jobset.x-k8s.io/jobset",
    "trainer.kubeflow.org/trainjob",
    "leaderworkerset.x-k8s.io/leaderworkerset",
    "deployment",
    "statefulset",
    "pod",
)
"""The kinds whose Pods wait for quota."""
RAY: Final = ("ray.io/raycluster", "ray.io/rayjob", "ray.io/rayservice")
"""Those of KubeRay, where it is installed."""
EXCLUDED_RESOURCES: Final = (
    "vpc.amazonaws.com/",
    "networking.gke.io.networks/",
    "hugepages-",
    "ephemeral-storage",
)
"""Prefixes of resources without a quota: a node has as much of them as belongs to its accelerators. A
workload that requests any other resource without a quota is not admitted."""
PREEMPTION_STRATEGIES: Final = ("LessThanOrEqualToFinalShare", "LessThanInitialShare")
"""Whom fair sharing evicts: a workload whose queue has the larger share even without it, so that two queues
do not evict each other in turn; only if there is none, one whose queue has the larger share with it."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart."""
    return {
        "controllerManager": {
            "replicas": setup.replicas,
            "manager": {
                "priorityClassName": PRIORITY_CLASS,
                "image": {**setup.image("kueue"), "pullPolicy": "IfNotPresent"},
                "resources": requests("100m", "512Mi"),
            },
            "podDisruptionBudget": setup.disruption_budget,
            "topologySpreadConstraints": setup.spread({"control-plane": "controller-manager"}),
            **scheduling(),
        },
        # A string in the chart. JSON is YAML.
        "managerConfig": {"controllerManagerConfigYaml": json.dumps(configuration(setup), indent=1)},
    }


def configuration(setup: Setup) -> dict[str, Any]:
    """Return Kueue's own configuration (config.kueue.x-k8s.io/v1beta2). The chart restarts Kueue when it
    changes.

    Namespaces are chosen by a label and not by leaving some out: the chart makes the selector the one of
    every webhook, so a Kueue that does not run would else stop the Deployments of all other namespaces, its
    own included.
    """
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": ":8081"},
        "metrics": {"bindAddress": ":8443", "enableClusterQueueResources": True},
        "webhook": {"port": 9443},
        "leaderElection": {"leaderElect": True, "resourceName": "c1f6bfd2.kueue.x-k8s.io"},
        "managedJobsNamespaceSelector": {"matchLabels": dict(MANAGED_NAMESPACES)},
        "manageJobsWithoutQueueName": True,
        "waitForPodsReady": _wait_for_pods_ready(setup.pods_ready),
        "fairSharing": {"preemptionStrategies": list(PREEMPTION_STRATEGIES)},
        "integrations": {"frameworks": [*INTEGRATIONS, *(RAY if setup.ray else ())]},
        "resources": {
            "excludeResourcePrefixes": list(EXCLUDED_RESOURCES),
            **(_claimed() if setup.device_claims else {}),
        },
    }


def _claimed() -> dict[str, Any]:
    """Return the resource by which claims of GPUs count. Claims of other classes are not admitted."""
    return {"deviceClassMappings": [{"name": CLAIMED_GPU, "deviceClassNames": [GPU_CLASS]}]}


def _wait_for_pods_ready(pods_ready: PodsReady) -> dict[str, Any]:
    requeuing: dict[str, Any] = {"timestamp": "Eviction", "backoffBaseSeconds": 60, "backoffMaxSeconds": 3600}
    if pods_ready.attempts is not None:
        requeuing["backoffLimitCount"] = pods_ready.attempts
    return {
        "timeout": f"{pods_ready.timeout_minutes}m",
        # "0s" switches it off.
        "recoveryTimeout": f"{pods_ready.recovery_minutes}m" if pods_ready.recovery_minutes else "0s",
        # Others do not wait for it: a large job on new nodes would stop all queues.
        "blockAdmission": False,
        "requeuingStrategy": requeuing,
    }
