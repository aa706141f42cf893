"""A gateway for requests to services of teams: TLS, tokens, limits, and routes."""

from typing import TYPE_CHECKING

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.gateway.args import (
    NAME,
    NAMESPACE,
    AuthenticationArgs,
    GatewayArgs,
    GatewayBackendArgs,
    GatewayMirrorArgs,
    GatewayRouteArgs,
    GatewaySettings,
    GatewayTeamArgs,
    RateLimitArgs,
)
from aiplatform.gateway.outputs import GatewayOutputs

if TYPE_CHECKING:
    from aiplatform.gateway.build import Built

__all__ = [
    "AuthenticationArgs",
    "ClusterReferenceArgs",
    "Gateway",
    "GatewayArgs",
    "GatewayBackendArgs",
    "GatewayMirrorArgs",
    "GatewayOutputs",
    "GatewayRouteArgs",
    "GatewayTeamArgs",
    "RateLimitArgs",
]


class Gateway(ComponentResource):
    """A gateway for HTTPS requests to services of teams, of Envoy Gateway or of GKE. It needs the cluster's
    Kubernetes provider in `opts.providers`, and the add-ons cert-manager and gateway-api in
    `opts.depends_on`."""

    versions: KnownOutput[dict[str, str]]
    """Add-on -> the version of its chart."""
    name: KnownOutput[str]
    """The name of the Gateway, for `parentRefs` of routes."""
    namespace: KnownOutput[str]
    """The namespace of the Gateway, for `parentRefs` of routes."""
    pods_namespace: KnownOutput[str | None]
    """The namespace of Envoy's Pods, which the network policies of backends have to allow; null with GKE's
    gateways, whose proxies are no Pods."""
    hosts: KnownOutput[list[str]]
    """The DNS names of the gateway."""
    address: Output[str | None]
    """The address of the load balancer: its DNS name on AWS, its IP address on Google Cloud; null with GKE's
    gateways, whose address is in the status of the Gateway."""

    def __init__(self, name: str, args: GatewayArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(GatewaySettings, args, "GatewayArgs")
        super().__init__("aiplatform:index:Gateway", name, {}, opts)
        # Imported late: arguments are checked without Kubernetes' SDK, which takes a second to load.
        from aiplatform.gateway.build import address, build

        self.built: Built = build(self, name, settings, opts)
        """The gateway's resources, for `depends_on` of routes in a Python program."""
        namespaces = [addon.namespace for addon in settings.installed if addon.images]
        self.outputs: GatewayOutputs = {
            "versions": {addon.name: addon.version for addon in settings.installed},
            "name": NAME,
            "namespace": NAMESPACE,
            "pods_namespace": namespaces[0] if namespaces else None,
            "hosts": list(settings.hosts),
            "address": address(self.built),
        }
        publish(self, self.outputs)
