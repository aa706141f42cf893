"""Envoy Gateway: one controller, which runs Envoy in its own namespace."""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling

PODS: Final[Mapping[str, str]] = {"control-plane": "envoy-gateway"}
"""The label of its Pods."""
METRICS_PORT: Final = 19001
"""Metrics of the controller, at `/metrics`, and of Envoy."""
METRICS: Final = "/stats/prometheus"
"""Where Envoy has its metrics."""
CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
"""The controller that a GatewayClass names."""
DEFINITIONS: Final[Mapping[str, Any]] = {
    # Those of the Gateway API have another owner, the add-on gateway-api.
    "crds": {"gatewayAPI": {"enabled": False}, "envoyGateway": {"enabled": True}}
}
"""The values of the add-on envoy-gateway-crds, whose chart brings nothing by default."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. A hook of it, which Pulumi does not run, creates the certificates of
    the controller: the component Gateway has cert-manager issue them."""
    envoy = f"{setup.repository('envoy')}:{setup.tag('envoy')}"
    return {
        # The add-on envoy-gateway-crds brings them, in the channel of the add-on gateway-api.
        "crds": {"enabled": False},
        "global": {"images": {"envoyProxy": {"image": envoy}}},
        "deployment": {
            "replicas": setup.replicas,
            "priorityClassName": PRIORITY_CLASS,
            "envoyGateway": {
                "image": setup.image("envoy-gateway"),
                "imagePullPolicy": "IfNotPresent",
                "resources": requests("100m", "512Mi"),
            },
            "pod": {"topologySpreadConstraints": setup.spread(PODS), **scheduling()},
        },
        # Of a single Pod it would block every drain.
        "podDisruptionBudget": {"minAvailable": 1 if setup.replicas > 1 else 0},
        # Its webhook is called for every Pod of the namespace that is bound to a node, and the hook above
        # writes the authority of its certificate.
        "topologyInjector": {"enabled": False},
        "config": {
            "envoyGateway": {
                "provider": {
                    "type": "Kubernetes",
                    # The chart writes it where the controller does not read it (docs/gotchas.md).
                    "kubernetes": {"proxyTopologyInjector": {"disabled": True}},
                },
                # A Backend is any address, a patch any configuration: neither is limited by routes.
                "extensionApis": {"enableBackend": False, "enableEnvoyPatchPolicy": False},
            }
        },
    }
