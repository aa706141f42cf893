"""Machine images and snapshots are not public."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No public machine images and snapshots",
    severity="critical",
    description="A machine image or a snapshot contains a disk: code, models, credentials and data. A "
    "public one can be started and read by every account. Bindings to allUsers and allAuthenticatedUsers, "
    "of images on Google Cloud, are violations of `identity.forbid_wildcard_principals`.",
    remediation="Share the image with accounts, or with the organization by `organizationArn`; set the "
    "block of public access to `block-new-sharing` (images) or `block-all-sharing` (snapshots).",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 AC-21", "SOC 2 CC6.1"),
)

_EVERYONE = "all"


@POLICY.on("aws:ec2/amiLaunchPermission:AmiLaunchPermission")
def on_permissions(resource: Resource) -> Iterator[Outcome]:
    """Permissions of the group of all accounts."""
    if resource.known("group") == _EVERYONE:
        yield Violation("group", "is 'all': every account can start the image")


@POLICY.on("aws:imagebuilder/distributionConfiguration:DistributionConfiguration")
def on_distributions(resource: Resource) -> Iterator[Outcome]:
    """Images that Image Builder shares with the group of all accounts."""
    yield from check_each(resource.entries("distributions"), _check_distribution)


def _check_distribution(distribution: Entry) -> Iterator[Outcome]:
    groups = distribution.entries("amiDistributionConfiguration.launchPermission.userGroups")
    yield from check_each(groups, _check_group, "every account can start the image")


def _check_group(group: Entry, effect: str) -> Iterator[Outcome]:
    if group.known() == _EVERYONE:
        yield Violation(group.path, f"is 'all': {effect}")


@POLICY.on("aws:rds/snapshot:Snapshot", "aws:rds/clusterSnapshot:ClusterSnapshot")
def on_snapshots(resource: Resource) -> Iterator[Outcome]:
    """Snapshots of databases that are shared with all accounts."""
    accounts = resource.entries("sharedAccounts")
    yield from check_each(accounts, _check_group, "every account can restore the snapshot")


@POLICY.on(
    "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess",
    "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
)
def on_blocks(resource: Resource) -> Iterator[Outcome]:
    """Regions in which images or snapshots may be made public."""
    if resource.known("state") == "unblocked":
        yield Violation("state", "is 'unblocked', which allows public images or snapshots in the region")
