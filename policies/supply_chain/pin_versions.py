"""The versions of clusters and their add-ons are chosen, not met."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Cluster and add-on versions are pinned",
    severity="medium",
    description="EKS gives an add-on without a version, and a cluster without one, its default of the day: "
    "two environments that were made from one file differ.",
    remediation="Set `version` of the cluster and `addonVersion` of each add-on; "
    "`aws.eks.get_addon_version` finds the one that suits the cluster.",
    frameworks=("NIST 800-53 CM-2", "SOC 2 CC8.1"),
)


@POLICY.on("aws:eks/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Judgement]:
    """Clusters without a version."""
    yield from _judged(resource, "version", "the cluster gets the newest version that EKS has")


@POLICY.on("aws:eks/addon:Addon")
def on_add_ons(resource: Resource) -> Iterator[Judgement]:
    """Add-ons without a version."""
    name = resource.get("addonName")
    told = "the add-on" if name is UNKNOWN else repr(name)
    yield from _judged(resource, "addonVersion", f"{told} gets EKS's default version of the day")


def _judged(resource: Resource, key: str, problem: str) -> Iterator[Judgement]:
    version = resource.get(key)
    if version is UNKNOWN:
        yield Undecided(key)
    elif not version:
        yield Finding(key, problem)
