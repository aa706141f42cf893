"""Clusters get their repairs, and at the ordinary price."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Clusters stay in standard support",
    severity="medium",
    description="A cluster that nobody upgrades falls into EKS's extended support, at six times the price "
    "an hour, which is the default; a GKE cluster that leaves the release channels has nobody to plan its "
    "upgrades.",
    remediation="Set EKS's `upgradePolicy: {supportType: STANDARD}`; GKE's `releaseChannel` to REGULAR or "
    "STABLE.",
    frameworks=("NIST 800-53 SI-2", "SOC 2 CC7.1"),
)


@POLICY.on("aws:eks/cluster:Cluster")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Clusters that are kept on an old version."""
    path = "upgradePolicy.supportType"
    kind = resource.get(path)
    if kind is UNKNOWN:
        yield Undecided(path)
    elif kind != "STANDARD":
        yield Finding(path, f"is {kind or 'EXTENDED'!r}, the dear kind")


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Clusters of no channel, or of the one that is for trying things out. A new one that says nothing is
    put into REGULAR."""
    path = "releaseChannel.channel"
    channel = resource.get(path)
    if channel is UNKNOWN:
        yield Undecided(path)
    elif channel in ("UNSPECIFIED", "RAPID"):
        yield Finding(path, f"is {channel!r}, expected REGULAR, STABLE or EXTENDED")
