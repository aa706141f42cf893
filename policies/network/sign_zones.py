"""Public DNS zones are signed."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Stack, Violation, check_each, describe
from ..framework.related_resources import RelatedResources

POLICY = Policy(
    title="Public zones are signed (DNSSEC)",
    severity="low",
    description="Without signatures a resolver cannot detect a forged answer, which leads users of an "
    "endpoint to another server. Private zones need none. On Route 53 a zone is signed by a "
    "HostedZoneDnsSec with a KeySigningKey. The registrar of the parent zone must have the DS record as "
    "well, which no policy sees.",
    remediation="Set `dnssecConfig.state: on` on Cloud DNS with keys other than RSASHA1; on Route 53 declare "
    "a KeySigningKey and a HostedZoneDnsSec with `signingStatus: SIGNING`.",
    frameworks=("CIS GCP 3.3", "CIS GCP 3.4", "CIS GCP 3.5", "NIST 800-53 SC-20"),
)


@POLICY.on("gcp:dns/managedZone:ManagedZone")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Public zones that are not signed, or by SHA-1."""
    if resource.known("visibility") == "private":
        return
    path = "dnssecConfig.state"
    state = resource.known(path)
    if state != "on":
        yield Violation(path, f"{describe(state)}, so the answers of the zone are not signed")
    yield from check_each(resource.entries("dnssecConfig.defaultKeySpecs"), _check_key)


def _check_key(key: Entry) -> Iterator[Outcome]:
    if key.known("algorithm") == "rsasha1":
        yield Violation(key.where("algorithm"), "is 'rsasha1', which signs by SHA-1")


@POLICY.on("aws:route53/hostedZoneDnsSec:HostedZoneDnsSec")
def on_signing(resource: Resource) -> Iterator[Outcome]:
    """Signing that is off."""
    if resource.known("signingStatus") == "NOT_SIGNING":
        yield Violation("signingStatus", "is 'NOT_SIGNING', so the answers of the zone are not signed")


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Outcome]:
    """Public zones that no HostedZoneDnsSec of the program signs."""
    signing = RelatedResources(stack, "hostedZoneId", "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec")
    yield from check_each(stack.of("aws:route53/zone:Zone"), _check_zone, signing)


def _check_zone(zone: Resource, signing: RelatedResources) -> Iterator[Outcome]:
    # A zone with networks is private.
    if zone.declared("vpcs"):
        return
    if not signing.of(zone):
        signing.require_known_targets()
        yield Violation("", "is a public zone without a HostedZoneDnsSec, so its answers are not signed")
