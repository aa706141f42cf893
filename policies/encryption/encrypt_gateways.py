"""Gateways accept TLS connections alone."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="Gateways with TLS",
    severity="high",
    description="Requests to models contain tokens and personal data. A listener for plain HTTP accepts them "
    "unencrypted, also where it only redirects to HTTPS.",
    remediation="Use listeners with the protocol HTTPS, and a Secret of cert-manager in "
    "`tls.certificateRefs`.",
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
