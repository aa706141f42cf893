"""What Prometheus scrapes of the add-ons: monitors, and the connections that they need.

Monitors are objects of this component and not of the add-ons' charts: their kind is there after the add-ons,
and a chart that is rendered before leaves them out or fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.workloads import ingress_from
from aiplatform.addons.catalog import catalog
from aiplatform.addons.install import EXISTING_NAMESPACES
from aiplatform.addons.values.argo_workflows import PODS as WORKFLOW_CONTROLLER_PODS
from aiplatform.addons.values.envoy_gateway import METRICS, METRICS_PORT
from aiplatform.addons.values.envoy_gateway import PODS as ENVOY_GATEWAY_PODS
from aiplatform.addons.values.keda import OPERATOR as KEDA_PODS
from aiplatform.addons.values.kserve import PODS as KSERVE_PODS
from aiplatform.addons.values.prometheus_pushgateway import PODS as PUSHGATEWAY_PODS
from aiplatform.addons.values.prometheus_pushgateway import PORT as PUSHGATEWAY_PORT
from aiplatform.gateway.args import ENVOY_GATEWAY as GATEWAY
from aiplatform.observability.args import OPENCOST, ObservabilitySettings
from aiplatform.observability.metrics import exporters
from aiplatform.observability.values.setup import NAMESPACE

VERSION: Final = "monitoring.coreos.com/v1"
TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105
SCRAPED: Final = "ai-platform/scrape"
"""The label of Pods of workloads with metrics, whatever their namespace: its value is `true`."""
_PORT_NAME: Final = "metrics"
_LIMITS: Final = {"sampleLimit": 10_000, "labelLimit": 60, "bodySizeLimit": "10MB", "targetLimit": 2000}
"""Of a Pod of a workload, and of all of them: a label with a value for each request would fill the volume."""


@dataclass(frozen=True)
class Target:
    """What exports metrics. Its series have the label `job` with its name."""

    name: str
    namespace: str
    port: int
    pods: Mapping[str, str]
    """The labels of its Pods."""
    service: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where metrics are served with TLS to whom Kubernetes authorizes: the labels of the Service in front of
    it."""
    service_port: str = "https"
    """The name of the Service's port."""
    tls: bool = False
    """Without a Service: whether metrics are served with TLS, to everyone who reaches the port."""
    creates_service: bool = False
    """Whether the chart has no such Service."""
    addon: str = ""
    """The add-on that it belongs to; empty: it is the add-on itself."""
    path: str = ""
    """Where the metrics are; empty: `/metrics`."""
    honor_labels: bool = False
    """Whether a label `namespace` of a series is the object's that it is about, and stays."""
    allowed_elsewhere: bool = False
    """Whether another component allows Prometheus to connect to the port."""
    stored: str = ""
    """Where others decide what it exports: a pattern of the names of the series that are stored."""
    on_nodes: bool = False
    """Whether it exports what its node has. A series without `namespace` and `pod` is then about no workload,
    and does not get those of the exporter."""


_NAME: Final = "app.kubernetes.io/name"
_INSTANCE: Final = "app.kubernetes.io/instance"
_COMPONENT: Final = "app.kubernetes.io/component"

_TLS: Final[Mapping[str, Any]] = {"scheme": "https", "tlsConfig": {"insecureSkipVerify": True}}
"""The controllers sign their certificates themselves."""
_OF_NODE: Final = (
    {"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"},
    {"action": "labeldrop", "regex": "namespace|pod|container"},
)
"""The relabelings of exporters on nodes."""

TARGETS: Final = (
    Target("argo-workflows", "", 9090, WORKFLOW_CONTROLLER_PODS, tls=True, honor_labels=True),
    Target("aws-load-balancer-controller", "", 8080, {_NAME: "aws-load-balancer-controller"}),
    Target("cert-manager", "", 9402, {_INSTANCE: "cert-manager"}, honor_labels=True),
    Target("dcgm-exporter", "", 9400, {_NAME: "dcgm-exporter"}, honor_labels=True, on_nodes=True),
    Target("envoy", "", METRICS_PORT, {_NAME: "envoy", _COMPONENT: "proxy"}, addon=GATEWAY, path=METRICS),
    Target(GATEWAY, "", METRICS_PORT, ENVOY_GATEWAY_PODS),
    Target("external-dns", "", 7979, {_NAME: "external-dns"}),
    Target("external-secrets", "", 8080, {_INSTANCE: "external-secrets"}, honor_labels=True),
    Target(
        "jobset",
        "",
        8443,
        {_NAME: "jobset"},
        service={_NAME: "jobset", _COMPONENT: "controller"},
        honor_labels=True,
    ),
    Target("karpenter", "", 8080, {_NAME: "karpenter"}),
    Target(
        "kubeflow-trainer",
        "",
        8443,
        {_NAME: "kubeflow-trainer", _COMPONENT: "manager"},
        service={_NAME: "kubeflow-trainer", _COMPONENT: "manager"},
        service_port="monitoring-port",
    ),
    Target("keda", "", 8080, KEDA_PODS, honor_labels=True),
    Target("kserve", "", 8443, KSERVE_PODS, service=KSERVE_PODS),
    Target("kuberay-operator", "", 8080, {_NAME: "kuberay-operator"}),
    Target(
        "kueue",
        "",
        8443,
        {_NAME: "kueue", "control-plane": "controller-manager"},
        service={_NAME: "kueue", _COMPONENT: "metrics-service"},
        honor_labels=True,
    ),
    Target("lws", "", 8443, {_NAME: "lws"}, service={_NAME: "lws-metrics"}, creates_service=True),
    Target(
        "prometheus-pushgateway",
        "",
        PUSHGATEWAY_PORT,
        PUSHGATEWAY_PODS,
        honor_labels=True,
        # A job that sends other numbers could otherwise imitate any exporter.
        stored="ai_platform_monitor_.+|push_(failure_)?time_seconds",
    ),
)
"""The add-ons with metrics, by the names of the catalog, in whose namespaces they are, and what they run."""
AUTOSCALER: Final = Target("cluster-autoscaler", "kube-system", 8085, {_NAME: "cluster-autoscaler"})
# The packages of both are not imported: they would load the cloud's SDK.
REGISTRY: Final = Target("model-registry", "", 8000, {_NAME: "mlflow"}, allowed_elsewhere=True)
FEATURES: Final = Target("feature-server", "", 8000, {_NAME: "feature-server"}, allowed_elsewhere=True)
"""In the namespaces that arguments state."""
COSTS: Final = Target(
    OPENCOST,
    "",
    9003,
    {_NAME: OPENCOST},
    honor_labels=True,
    allowed_elsewhere=True,
    # It has labels and states of objects under the names of kube-state-metrics, too.
    stored="node_.+_hourly_cost|node_gpu_count|container_.+_allocation(_bytes)?|pv_hourly_cost|pod_pvc_allocation",
)
"""What this component itself installs."""


def targets(settings: ObservabilitySettings) -> Iterator[Target]:
    """Yield what is scraped."""
    for target in TARGETS:
        addon = target.addon or target.name
        if addon in settings.addons:
            entry = catalog()[addon]
            # The namespace of one with such ports does not exist yet.
            elsewhere = bool(entry.metrics_ports)
            yield replace(target, namespace=entry.namespace, allowed_elsewhere=elsewhere)
    if settings.cluster_autoscaler:
        yield AUTOSCALER
    if settings.model_registry is not None:
        yield replace(REGISTRY, namespace=settings.model_registry)
    if settings.feature_store is not None:
        yield replace(FEATURES, namespace=settings.feature_store)
    if settings.opencost is not None:
        yield replace(COSTS, namespace=catalog()[OPENCOST].namespace)


def create(context: Context[ObservabilitySettings], after: ResourceOptions) -> list[pulumi.Resource]:
    """Create the monitors, after the kinds and before their end, and allow the connections."""
    created: list[pulumi.Resource] = [_workloads(context, after)]
    for target in targets(context.settings):
        created.append(_monitor(context, target, after))
        if target.creates_service:
            created.append(_service(context, target))
        if target.namespace not in EXISTING_NAMESPACES and not target.allowed_elsewhere:
            created.append(_allow(context, target))
    return created


def _monitor(
    context: Context[ObservabilitySettings], target: Target, after: ResourceOptions
) -> CustomResource:
    endpoint: dict[str, Any] = {
        "relabelings": [
            {"targetLabel": "job", "replacement": target.name},
            *(_OF_NODE if target.on_nodes else ()),
        ],
        **({"honorLabels": True} if target.honor_labels else {}),
        **({"path": target.path} if target.path else {}),
        **(
            {"metricRelabelings": [{"action": "keep", "sourceLabels": ["__name__"], "regex": target.stored}]}
            if target.stored
            else {}
        ),
    }
    if target.service:
        kind, endpoints = "ServiceMonitor", "endpoints"
        endpoint |= {
            "port": target.service_port,
            **_TLS,
            # Who reads metrics is decided by the token.
            "bearerTokenFile": TOKEN,
        }
    else:
        kind, endpoints = "PodMonitor", "podMetricsEndpoints"
        endpoint |= {"portNumber": target.port, **(_TLS if target.tls else {})}
    return CustomResource(
        f"{context.name}-{target.name}-monitor",
        api_version=VERSION,
        kind=kind,
        metadata=meta.ObjectMetaArgs(name=target.name, namespace=NAMESPACE),
        spec={
            "namespaceSelector": {"matchNames": [target.namespace]},
            "selector": {"matchLabels": dict(target.service or target.pods)},
            endpoints: [endpoint],
        },
        opts=ResourceOptions.merge(after, context.options()),
    )


def _workloads(context: Context[ObservabilitySettings], after: ResourceOptions) -> CustomResource:
    """Create the monitor of workloads: Pods of any namespace with the label, at the port `metrics`. A Pod
    cannot choose its `job`, nor export a metric that the platform's rules read."""
    reserved_for = (exporter for exporter in exporters().values() if not exporter.of_workloads)
    names = (metric.name for exporter in reserved_for for metric in exporter.metrics)
    beginnings = sorted({_beginning(name) for name in names if "_" in name})
    reserved = f"(?:{'|'.join(beginnings)})_.+|slo:.+|ALERTS.*"
    return CustomResource(
        f"{context.name}-workloads-monitor",
        api_version=VERSION,
        kind="PodMonitor",
        metadata=meta.ObjectMetaArgs(name="workloads", namespace=NAMESPACE),
        spec={
            "namespaceSelector": {"any": True},
            "selector": {"matchLabels": {SCRAPED: "true"}},
            # As the label app_kubernetes_io_name.
            "podTargetLabels": [_NAME],
            **_LIMITS,
            "podMetricsEndpoints": [
                {
                    "port": _PORT_NAME,
                    "metricRelabelings": [
                        {"action": "drop", "sourceLabels": ["__name__"], "regex": reserved}
                    ],
                }
            ],
        },
        opts=ResourceOptions.merge(after, context.options()),
    )


def _beginning(name: str) -> str:
    """Return the first word of a metric; of the platform's own both words of its name."""
    return "ai_platform" if name.startswith("ai_platform_") else name.partition("_")[0]


def _service(context: Context[ObservabilitySettings], target: Target) -> core.Service:
    return core.Service(
        f"{context.name}-{target.name}-metrics",
        metadata=meta.ObjectMetaArgs(
            name=f"{target.name}-metrics",
            namespace=target.namespace,
            labels=dict(target.service),
            # The controller's Deployment is waited for.
            annotations={"pulumi.com/skipAwait": "true"},
        ),
        spec=core.ServiceSpecArgs(
            selector=dict(target.pods),
            cluster_ip="None",
            ports=[core.ServicePortArgs(name="https", port=target.port, target_port=target.port)],
        ),
        opts=context.options(),
    )


def _allow(context: Context[ObservabilitySettings], target: Target) -> networking.NetworkPolicy:
    """Allow Prometheus to connect to the port: the namespaces of add-ons deny what is not allowed."""
    return networking.NetworkPolicy(
        f"{context.name}-{target.name}-scrapes",
        metadata=meta.ObjectMetaArgs(name=f"{target.name}-scrapes", namespace=target.namespace),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(match_labels=dict(target.pods)),
            policy_types=["Ingress"],
            ingress=[ingress_from(target.port, [NAMESPACE])],
        ),
        opts=context.options(),
    )
