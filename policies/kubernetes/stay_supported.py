"""Clusters are in standard support."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Clusters stay in standard support",
    severity="medium",
    description="A cluster that is not upgraded enters EKS's extended support, at six times the price an "
    "hour, which is the default; a GKE cluster outside the release channels is not upgraded on a schedule.",
    remediation="Set EKS's `upgradePolicy: {supportType: STANDARD}`; GKE's `releaseChannel` to REGULAR or "
    "STABLE.",
    frameworks=("NIST 800-53 SI-2", "SOC 2 CC7.1"),
)


@POLICY.on("aws:eks/cluster:Cluster")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Clusters that stay on an old version."""
    path = "upgradePolicy.supportType"
    kind = resource.known(path)
    if kind != "STANDARD":
        yield Violation(path, f"is {kind or 'EXTENDED'!r}, at six times the price; expected STANDARD")


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Clusters without a channel, or in the one for tests. The default of a new cluster is REGULAR."""
    path = "releaseChannel.channel"
    channel = resource.known(path)
    if channel in ("UNSPECIFIED", "RAPID"):
        yield Violation(path, f"is {channel!r}; expected REGULAR, STABLE or EXTENDED")
