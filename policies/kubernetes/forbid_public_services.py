"""Services of clusters are on the internet only where that is listed."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Option, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.ingress import is_internet
from ..framework.pods import namespace

POLICY = Policy(
    title="No unintended public load balancer, node port or external address",
    severity="high",
    description="A Service of type LoadBalancer gets a public address on GKE, and on EKS without the AWS "
    "Load Balancer Controller, unless an annotation requests an internal one. A model that is open to the "
    "internet is found and used by others within hours, and its owner pays. A port of the nodes is open in "
    "every network that reaches a node, and `externalIPs` takes over the traffic to any address.",
    remediation="Use type ClusterIP behind a gateway, or make it internal: "
    "`networking.gke.io/load-balancer-type: Internal`, or "
    "`service.beta.kubernetes.io/aws-load-balancer-scheme: internal`; limit it by "
    "`loadBalancerSourceRanges`; or name it in the policy's `public`.",
    frameworks=("NIST 800-53 SC-7", "SOC 2 CC6.6"),
    options={
        "public": Option(
            {"type": "array", "items": {"type": "string"}},
            [],
            "The objects that may be public, as `namespace/name`.",
        ),
    },
)

_AWS = "service.beta.kubernetes.io/aws-load-balancer-"
_INTERNAL = {
    f"{_AWS}scheme": ("internal",),
    f"{_AWS}internal": ("true", "0.0.0.0/0"),
    "networking.gke.io/load-balancer-type": ("Internal",),
    "cloud.google.com/load-balancer-type": ("Internal",),
}
# The AWS Load Balancer Controller's, and EKS Auto Mode's: internal by default.
_CLASSES = ("service.k8s.aws/nlb", "eks.amazonaws.com/nlb")
_TYPES = ("external", "nlb-ip")
_PROXY = "spec.provider.kubernetes.envoyService"


def _is_listed(resource: Resource, options: Options) -> bool:
    if not options["public"]:
        return False
    return f"{namespace(resource)}/{resource.known('metadata.name')}" in options["public"]


@POLICY.on("kubernetes:core/v1:Service", "kubernetes:core/v1:ServicePatch")
def on_services(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Services with a public load balancer, a port of the nodes or addresses of their choice."""
    if _is_listed(resource, options):
        return
    if resource.known("spec.type") == "NodePort":
        yield Violation("spec.type", "is 'NodePort': opens a port of every node; use 'ClusterIP'")
    yield from check_each(["spec.externalIPs"], _check_addresses, resource)
    if is_public(resource):
        yield Violation("spec.type", "is 'LoadBalancer' with an address that is open to the internet")


def _check_addresses(path: str, resource: Resource) -> Iterator[Outcome]:
    if resource.known(path):
        yield Violation(path, "takes over the traffic of the cluster to these addresses (CVE-2020-8554)")


@POLICY.on("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy")
def on_envoy_proxies(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Public load balancers that Envoy Gateway creates, for every gateway by default."""
    if not _is_listed(resource, options) and is_public_proxy(resource):
        yield Violation(_PROXY, "is a load balancer that is open to the internet")


def is_public(service: Resource) -> bool:
    """Return whether a Service has a load balancer that the whole internet reaches."""
    return service.known("spec.type") == "LoadBalancer" and _is_open(service, "metadata", "spec")


def is_public_proxy(proxy: Resource) -> bool:
    """Return whether an EnvoyProxy states such a load balancer: its type is LoadBalancer by default."""
    if proxy.known(f"{_PROXY}.type") not in (None, "LoadBalancer"):
        return False
    return _is_open(proxy, _PROXY, _PROXY)


def _is_open(resource: Resource, metadata: str, spec: str) -> bool:
    """metadata, spec: the paths of what has the annotations, and the properties of the Service."""
    ranges = resource.fully_known(f"{spec}.loadBalancerSourceRanges")
    limited = ranges and not any(map(is_internet, ranges))
    return not limited and not _is_internal(resource, metadata, spec)


def _is_internal(resource: Resource, metadata: str, spec: str) -> bool:
    resource.fully_known(f"{metadata}.annotations")
    annotations = resource.mapping(f"{metadata}.annotations")
    if any(annotations.get(key) in values for key, values in _INTERNAL.items()):
        return True
    by_class = resource.known(f"{spec}.loadBalancerClass") in _CLASSES
    controller = by_class or annotations.get(f"{_AWS}type") in _TYPES
    return controller and annotations.get(f"{_AWS}scheme") is None


@POLICY.on("kubernetes:networking.k8s.io/v1:Ingress")
def on_ingresses(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Ingresses with a public load balancer."""
    resource.fully_known("metadata.annotations")
    annotations = resource.mapping("metadata.annotations")
    if _is_listed(resource, options):
        return
    if annotations.get("alb.ingress.kubernetes.io/scheme") == "internet-facing":
        yield Violation("metadata.annotations", "its load balancer is 'internet-facing'")
    elif annotations.get("kubernetes.io/ingress.class") == "gce":
        yield Violation("metadata.annotations", "the class 'gce' is Google's public load balancer")


@POLICY.on("kubernetes:gateway.networking.k8s.io/v1:Gateway")
def on_gateways(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Gateways of a public class of GKE."""
    name = str(resource.known("spec.gatewayClassName"))
    if name.startswith("gke-") and "-external-" in name and not _is_listed(resource, options):
        yield Violation("spec.gatewayClassName", f"{name!r} is a public load balancer")
