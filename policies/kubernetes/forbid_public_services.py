"""What the clusters serve is not on the internet by an oversight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided, holds_unknown
from ..pack.openings import is_anywhere
from ..pack.pods import namespace

POLICY = Policy(
    title="No public load balancer by oversight",
    severity="high",
    description="A Service of type LoadBalancer gets a public address on GKE, and on EKS without the AWS "
    "Load Balancer Controller, unless an annotation says otherwise. A model that answers the world is found "
    "within hours, and paid for by its owner.",
    remediation="Make it internal: `networking.gke.io/load-balancer-type: Internal`, or "
    "`service.beta.kubernetes.io/aws-load-balancer-scheme: internal`; limit it by "
    "`loadBalancerSourceRanges`; or name it in the policy's `public`.",
    frameworks=("NIST 800-53 SC-7", "SOC 2 CC6.6"),
    options={
        "public": Option(
            {"type": "array", "items": {"type": "string"}},
            [],
            "What may be public, as `namespace/name`.",
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
# The AWS Load Balancer Controller's, and EKS Auto Mode's: internal unless they are told otherwise.
_CLASSES = ("service.k8s.aws/nlb", "eks.amazonaws.com/nlb")
_TYPES = ("external", "nlb-ip")


def _allowed(resource: Resource, options: Options) -> bool:
    return f"{namespace(resource)}/{resource.get('metadata.name')}" in options["public"]


@POLICY.on("kubernetes:core/v1:Service")
def on_services(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Services that the world reaches."""
    kind = resource.get("spec.type")
    if kind is UNKNOWN:
        yield Undecided("spec.type")
        return
    if kind != "LoadBalancer" or _allowed(resource, options):
        return
    ranges, annotations = resource.get("spec.loadBalancerSourceRanges"), _annotations(resource)
    if isinstance(annotations, Undecided) or holds_unknown(ranges):
        yield Undecided("metadata.annotations" if isinstance(annotations, Undecided) else "spec")
    elif not _is_internal(annotations, resource.get("spec.loadBalancerClass")) and (
        not ranges or any(map(is_anywhere, ranges))
    ):
        yield Finding("spec.type", "is 'LoadBalancer' with a public address that everybody reaches")


@POLICY.on("kubernetes:networking.k8s.io/v1:Ingress")
def on_ingresses(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Ingresses that the world reaches."""
    annotations = _annotations(resource)
    if isinstance(annotations, Undecided):
        yield annotations
    elif _allowed(resource, options):
        return
    elif annotations.get("alb.ingress.kubernetes.io/scheme") == "internet-facing":
        yield Finding("metadata.annotations", "its load balancer is 'internet-facing'")
    elif annotations.get("kubernetes.io/ingress.class") == "gce":
        yield Finding("metadata.annotations", "the class 'gce' is Google's public load balancer")


@POLICY.on("kubernetes:gateway.networking.k8s.io/v1:Gateway")
def on_gateways(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Gateways of a public class of GKE's."""
    name = resource.get("spec.gatewayClassName")
    if name is UNKNOWN:
        yield Undecided("spec.gatewayClassName")
    elif name and name.startswith("gke-") and "-external-" in name and not _allowed(resource, options):
        yield Finding("spec.gatewayClassName", f"{name!r} is a public load balancer")


def _annotations(resource: Resource) -> Mapping[str, Any] | Undecided:
    said: Any = resource.get("metadata.annotations")
    return Undecided("metadata.annotations") if holds_unknown(said) else said or {}


def _is_internal(annotations: Mapping[str, Any], balancer: Any) -> bool:
    if any(annotations.get(key) in values for key, values in _INTERNAL.items()):
        return True
    controller = balancer in _CLASSES or annotations.get(f"{_AWS}type") in _TYPES
    return controller and annotations.get(f"{_AWS}scheme") is None
