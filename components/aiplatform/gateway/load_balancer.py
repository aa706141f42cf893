"""The load balancer in front of Envoy: a Service of type LoadBalancer of the platform's, and not of Envoy
Gateway's. The engine waits until it is deleted before it deletes the controller that deletes it in the
cloud."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.cloud_support import Cloud
from aiplatform.gateway.args import NAME, GatewaySettings
from aiplatform.gateway.objects import CONTAINER_PORT, PODS, PORT

_AWS: Final = "service.beta.kubernetes.io/aws-load-balancer"
_CLASS: Final[Mapping[Cloud, str | None]] = {"aws": "service.k8s.aws/nlb", "gcp": None}
_HOSTS: Final = "external-dns.alpha.kubernetes.io/hostname"


def annotations(settings: GatewaySettings) -> dict[str, str]:
    """Return the annotations of the Service."""
    common = {
        # external-dns, where it is installed, writes records of the zones that it manages.
        _HOSTS: ",".join(settings.hosts),
        # Not for endpoints: Envoy Gateway creates the Pods.
        "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress}",
    }
    if settings.cloud == "aws":
        # AWS Load Balancer Controller, "Service annotations".
        return {
            **common,
            f"{_AWS}-scheme": "internet-facing" if settings.public else "internal",
            f"{_AWS}-nlb-target-type": "ip",
            f"{_AWS}-attributes": "load_balancing.cross_zone.enabled=true",
            f"{_AWS}-target-group-attributes": "preserve_client_ip.enabled=true",
            f"{_AWS}-listener-attributes.TCP-{PORT}": f"tcp.idle_timeout.seconds={settings.idle_seconds}",
        }
    # GKE, "LoadBalancer Service parameters". Connections of its passthrough load balancers end after 600 idle
    # seconds at the earliest.
    if settings.public:
        return {**common, "cloud.google.com/l4-rbs": "enabled"}
    return {**common, "networking.gke.io/load-balancer-type": "Internal"}


def create(
    parent: pulumi.ComponentResource,
    name: str,
    settings: GatewaySettings,
    namespace: str,
    after: ResourceOptions,
) -> core.Service:
    """Create the Service. namespace: that of Envoy's Pods. after: options with what it depends on."""
    options: dict[str, Any] = {}
    if settings.cloud == "aws":
        # Targets are Pods: no node listens for it.
        options["allocate_load_balancer_node_ports"] = False
    return core.Service(
        f"{name}-load-balancer",
        metadata=meta.ObjectMetaArgs(name=NAME, namespace=namespace, annotations=annotations(settings)),
        spec=core.ServiceSpecArgs(
            type="LoadBalancer",
            load_balancer_class=_CLASS[settings.cloud],
            load_balancer_source_ranges=list(settings.source_ranges) or None,
            # Clients keep their addresses.
            external_traffic_policy="Local",
            selector=dict(PODS),
            ports=[core.ServicePortArgs(name="https", port=PORT, target_port=CONTAINER_PORT, protocol="TCP")],
            **options,
        ),
        opts=ResourceOptions.merge(after, ResourceOptions(parent=parent)),
    )
