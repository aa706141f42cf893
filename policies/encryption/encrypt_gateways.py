"""Gateways and Ingresses accept TLS connections alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="Gateways and Ingresses with TLS",
    severity="high",
    description="Requests to models contain tokens and personal data. A listener for plain HTTP accepts them "
    "unencrypted, also where it only redirects to HTTPS.",
    remediation="Use listeners with the protocol HTTPS, and a Secret of cert-manager in "
    "`tls.certificateRefs`; in an Ingress `tls` with its `secretName`, or the annotation of the cloud's "
    "certificate.",
    frameworks=("NIST 800-53 SC-8", "SOC 2 CC6.7"),
)

_CERTIFICATE_MAP = "networking.gke.io/certmap"


@POLICY.on("kubernetes:gateway.networking.k8s.io/v1:Gateway")
def on_gateways(resource: Resource) -> Iterator[Outcome]:
    """Listeners without TLS."""
    mapped = _CERTIFICATE_MAP in resource.mapping("metadata.annotations")
    yield from check_each(resource.entries("spec.listeners"), _check, mapped)


def _check(listener: Entry, mapped: bool) -> Iterator[Outcome]:
    protocol = listener.known("protocol")
    if protocol not in ("HTTPS", "TLS"):
        yield Violation(listener.where("protocol"), f"is {protocol!r}, without encryption")
        return
    # GKE's certificates can also be named by an annotation or an option.
    named = mapped or listener.known("tls.certificateRefs") or listener.known("tls.options")
    if not named and listener.known("tls.mode") != "Passthrough":
        yield Violation(listener.where("tls"), "names no certificate")


_ALB: Final = "alb.ingress.kubernetes.io/"
_CERTIFICATES: Final = (
    f"{_ALB}certificate-arn",
    "networking.gke.io/managed-certificates",
    "networking.gke.io/pre-shared-certs",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
)
"""Annotations that name a certificate of the cloud."""
_REDIRECT: Final = "nginx.ingress.kubernetes.io/ssl-redirect"


@POLICY.on("kubernetes:networking.k8s.io/v1:Ingress", "kubernetes:networking.k8s.io/v1:IngressPatch")
def on_ingresses(resource: Resource) -> Iterator[Outcome]:
    """Ingresses without a certificate, or that keep plain HTTP next to it."""
    annotations = resource.mapping("metadata.annotations")
    yield from check_each([_REDIRECT], _check_redirect, annotations)
    by_annotation = any(key in annotations for key in _CERTIFICATES)
    # The AWS Load Balancer Controller looks for certificates of the hosts.
    listens = annotations.get(f"{_ALB}listen-ports")
    if by_annotation or (isinstance(listens, str) and "HTTPS" in listens):
        return
    if not resource.known("spec.tls"):
        resource.fully_known("metadata.annotations")
        yield Violation("spec.tls", "is not set, so that requests are not encrypted")


def _check_redirect(key: str, annotations: Mapping[str, Any]) -> Iterator[Outcome]:
    path = f"metadata.annotations[{key}]"
    if Entry(path, annotations.get(key)).known() == "false":
        yield Violation(path, "is 'false': plain HTTP is served next to HTTPS")
