"""OpenCost: its namespace, the prices, its chart, and its connection to Prometheus.

It is installed after Prometheus, without which it does not start. It reads prices from a file in place of
the price lists of the clouds: those need a way to the internet on AWS, and an API key on Google Cloud; spot
prices need a bucket with ACLs on AWS. So it calls no API of a cloud, and has no identity there.
"""

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.context import Context
from aiplatform._shared.images import images, mirrored
from aiplatform._shared.kubernetes.workloads import NAMESPACE_LABEL, egress_to
from aiplatform._shared.outputs import mapped_object
from aiplatform.accelerators import aws_machine, gcp_machine
from aiplatform.addons.catalog import catalog
from aiplatform.addons.charts import locate
from aiplatform.addons.install import Installed, create_namespace, install
from aiplatform.addons.values.setup import scheduling
from aiplatform.observability.args import CHART, OPENCOST, ObservabilitySettings
from aiplatform.observability.values.setup import NAMESPACE as MONITORING

PODS: Final = {"app.kubernetes.io/name": OPENCOST}
"""The label of its Pod."""
PORT: Final = 9003
"""Of its API and its metrics."""
PROMETHEUS_PORT: Final = 9090
_PRICES: Final = "prices"
_FILE: Final = "prices.csv"
_FOLDER: Final = "/etc/opencost-prices"
_USER: Final = 1001
"""The user of its image."""
_TYPE: Final = "node.kubernetes.io/instance-type"
"""The label of a node with its machine type."""


def create(
    context: Context[ObservabilitySettings], prometheus: Installed, options: ResourceOptions
) -> Installed:
    """Create it after Prometheus."""
    settings, addon = context.settings, catalog()[OPENCOST]
    assert settings.opencost is not None, "called only with OpenCost"  # noqa: S101
    namespace = create_namespace(
        context.parent, context.name, addon.namespace, settings.cloud, (), metrics_ports=addon.metrics_ports
    )
    table = core.ConfigMap(
        f"{context.name}-{OPENCOST}-{_PRICES}",
        metadata=meta.ObjectMetaArgs(name=f"{OPENCOST}-{_PRICES}", namespace=addon.namespace),
        data={_FILE: price_table(settings.opencost.prices, settings.cloud)},
        opts=context.options(*namespace),
    )
    return install(
        context.parent,
        context.name,
        addon,
        locate(addon, settings.charts),
        mapped_object(settings.mirrors, lambda mirrors: values(settings.cluster.name, mirrors)),
        [*namespace, table, _connection(context, addon.namespace, namespace)],
        [prometheus],
        options,
    )


def _connection(
    context: Context[ObservabilitySettings], namespace: str, exists: list[pulumi.Resource]
) -> networking.NetworkPolicy:
    """Allow its Pod to ask Prometheus, whose namespace allows it, too (`traffic`)."""
    prometheus = networking.NetworkPolicyPeerArgs(
        namespace_selector=meta.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: MONITORING}),
        pod_selector=meta.LabelSelectorArgs(match_labels={"app.kubernetes.io/name": "prometheus"}),
    )
    return networking.NetworkPolicy(
        f"{context.name}-{OPENCOST}-prometheus",
        metadata=meta.ObjectMetaArgs(name="prometheus", namespace=namespace),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(match_labels=PODS),
            policy_types=["Egress"],
            egress=[egress_to(PROMETHEUS_PORT, [prometheus])],
        ),
        opts=context.options(*exists),
    )


def price_table(prices: Mapping[str, float], cloud: Cloud) -> str:
    """Return the prices as OpenCost's CSV provider reads them (pkg/cloud/provider/csvprovider.go, v1.120.0):
    EndTimestamp, InstanceID, Region, AssetClass, InstanceIDField, InstanceType, MarketPriceHourly, Version.

    A machine with NVIDIA's GPUs also has the price of each of them, which is its whole price divided by their
    number: without it OpenCost divides a price among CPUs, memory and GPUs by the ratios of its
    defaults, by which the GPUs of a large machine have a third.
    """
    lines: list[str] = []
    for machine_type, price in sorted(prices.items()):
        lines.append(f",{machine_type},,node,metadata.labels.{_TYPE},,{price:.6f},")
        count = gpus(machine_type, cloud)
        if count:
            lines.append(f",{machine_type},,gpulabel,{_TYPE},,{price / count:.6f},")
    return "".join(f"{line}\n" for line in lines)


def gpus(machine_type: str, cloud: Cloud) -> int:
    """Return the number of NVIDIA's GPUs of a machine type."""
    machine = aws_machine(machine_type) if cloud == "aws" else gcp_machine(machine_type)
    return machine.count if machine is not None and "nvidia.com" in machine.card.resource else 0


def values(cluster: Any, mirrors: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the chart."""
    image = images()[OPENCOST]
    return {
        "podSecurityContext": _pod_security(),
        "extraVolumes": [{"name": _PRICES, "configMap": {"name": f"{OPENCOST}-{_PRICES}"}}],
        "opencost": {
            "exporter": {
                "defaultClusterId": cluster,
                "image": {"fullImageName": f"{mirrored(image.repository, mirrors)}{image.version}"},
                "extraEnv": {"USE_CSV_PROVIDER": "true", "CSV_PATH": f"{_FOLDER}/{_FILE}"},
                "extraVolumeMounts": [{"name": _PRICES, "mountPath": _FOLDER, "readOnly": True}],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                # It keeps all objects of the cluster, and the results of its queries.
                "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
            },
            # A folder that it writes its configuration to.
            "customPricing": {"enabled": True, "createConfigmap": False},
            "prometheus": {
                "internal": {
                    "serviceName": f"{CHART}-prometheus",
                    "namespaceName": MONITORING,
                    "port": PROMETHEUS_PORT,
                }
            },
            # kube-state-metrics exports what is known of objects.
            "metrics": {
                "kubeStateMetrics": {
                    "emitPodAnnotations": False,
                    "emitNamespaceAnnotations": False,
                    "emitKsmV1Metrics": False,
                    "emitKsmV1MetricsOnly": False,
                }
            },
            # Grafana has the dashboards, and nothing asks its server for agents.
            "ui": {"enabled": False},
            "mcp": {"enabled": False},
            **scheduling(),
        },
    }


def _pod_security() -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": _USER,
        "runAsGroup": _USER,
        "fsGroup": _USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
