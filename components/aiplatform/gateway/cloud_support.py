"""Gateways on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="Envoy Gateway behind a Network Load Balancer of the AWS Load Balancer Controller",
        gcp="Envoy Gateway behind a passthrough Network Load Balancer, or a gateway of GKE",
    ),
    "public": CloudSupport(
        aws="the scheme of the load balancer: `internet-facing` or `internal`",
        gcp="an external or internal passthrough Network Load Balancer",
    ),
    "proxy_ranges": CloudSupport(
        aws="refused: no class of gateways there has such proxies",
        gcp="with the class `gke` a network policy in the namespace of each team",
    ),
    "routes.health_path": CloudSupport(
        aws="refused: readiness probes of Pods decide",
        gcp="with the class `gke` a HealthCheckPolicy",
    ),
}
"""What each argument becomes."""
