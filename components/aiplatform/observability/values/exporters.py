"""Values of what exports metrics of nodes and of Kubernetes' objects, and of scrapes of Kubernetes itself."""

from typing import Any, Final

from aiplatform.addons.values.setup import NODE_PRIORITY_CLASS
from aiplatform.observability.values import custom_resources
from aiplatform.observability.values.setup import Setup, placed, resources

NODE_NAMESPACE: Final = "kube-system"
"""The namespace of the exporter of nodes, whose Pods see all of a node: `monitoring` refuses such Pods."""
COLLECTORS: Final = (
    "cronjobs",
    "daemonsets",
    "deployments",
    "horizontalpodautoscalers",
    "jobs",
    "limitranges",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "poddisruptionbudgets",
    "pods",
    "replicasets",
    "resourcequotas",
    "statefulsets",
)
"""The kinds of which kube-state-metrics exports metrics. It may list no others: by default it reads all
Secrets, too."""
LABELS: Final = (
    "nodes=[ai-platform/pool,ai-platform/capacity]",
    "pods=[jobset.sigs.k8s.io/jobset-name,kueue.x-k8s.io/queue-name,serving.kserve.io/inferenceservice]",
    "namespaces=[ai-platform/team]",
)
"""The labels of objects that are labels of metrics `kube_*_labels`."""
_NOT_REACHABLE: Final = ("kubeControllerManager", "kubeEtcd", "kubeScheduler", "kubeProxy")
"""Parts of the control plane, which the cloud runs, and kube-proxy, which listens on the node only."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values."""
    return {
        **{part: {"enabled": False} for part in _NOT_REACHABLE},
        "coreDns": {"enabled": setup.cloud == "aws"},
        # As often as all else; the chart's default is every 10 seconds.
        "kubelet": {"serviceMonitor": {"cAdvisorInterval": ""}},
        "kube-state-metrics": {
            "image": setup.image_with("sha", "kube-state-metrics"),
            # It keeps all objects and their series; it needs most when it starts.
            **placed("20m", "128Mi", _most_memory(setup)),
            "collectors": list(COLLECTORS),
            "metricLabelsAllowlist": list(LABELS),
            "customResourceState": {"enabled": True, "config": custom_resources.configuration()},
            "rbac": {"extraRules": custom_resources.permissions()},
        },
        "prometheus-node-exporter": {
            "namespaceOverride": NODE_NAMESPACE,
            # The tag is complete: nothing is added to it.
            "image": {**setup.image_with("digest", "node-exporter"), "distroless": False},
            "priorityClassName": NODE_PRIORITY_CLASS,
            "resources": resources("10m", "32Mi", "96Mi"),
            "tolerations": [{"operator": "Exists"}],
            "containerSecurityContext": {
                "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        },
    }


def _most_memory(setup: Setup) -> str:
    """Return the limit of kube-state-metrics' memory. It grows with the number of objects, as Prometheus'
    does."""
    return f"{max(512, round(setup.prometheus.memory_gib * 128))}Mi"
