"""Clusters and add-ons have an explicit version."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="Cluster and add-on versions are pinned",
    severity="medium",
    description="A cluster or an add-on of EKS without a version gets the current default: two environments "
    "that are created from one file differ.",
    remediation="Set `version` of the cluster and `addonVersion` of each add-on; "
    "`aws.eks.get_addon_version` returns a compatible one. Name a version in the alias of Karpenter's "
    "images.",
    frameworks=("NIST 800-53 CM-2", "SOC 2 CC8.1"),
)


@POLICY.on("aws:eks/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Outcome]:
    """Clusters without a version."""
    if not resource.known("version"):
        yield Violation("version", "is not set: the cluster gets the newest version of EKS")


@POLICY.on("aws:eks/addon:Addon")
def on_add_ons(resource: Resource) -> Iterator[Outcome]:
    """Add-ons without a version."""
    if not resource.known("addonVersion"):
        name = resource.raw("addonName")
        add_on = repr(name) if isinstance(name, str) else "the add-on"
        yield Violation("addonVersion", f"is not set: {add_on} gets the current default of EKS")


@POLICY.on("kubernetes:karpenter.k8s.aws/")
def on_karpenter(resource: Resource) -> Iterator[Outcome]:
    """Nodes of Karpenter whose image is the newest one: a release replaces all nodes."""
    yield from check_each(resource.entries("spec.amiSelectorTerms"), _check_alias)


def _check_alias(term: Entry) -> Iterator[Outcome]:
    alias = term.known("alias")
    if isinstance(alias, str) and alias.endswith("@latest"):
        yield Violation(term.where("alias"), f"is {alias!r}: a new image replaces all nodes of the class")
