"""A database's backups outlive it."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="A deleted database leaves a backup",
    severity="medium",
    description="A database that is replaced by a change of one property, or deleted by mistake, takes its "
    "automated backups with it. A final snapshot costs cents. While an environment's file says `teardown`, "
    "it is told and stops nothing.",
    remediation="On RDS leave `skipFinalSnapshot` at false with a `finalSnapshotIdentifier`; on Cloud SQL "
    "set `finalBackupConfig: {enabled: true}` or `retainBackupsOnDelete: true`.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    levels={"dev": "disabled", "staging": "disabled"},
    retiring=True,
)


@POLICY.on(
    "aws:rds/instance:Instance",
    "aws:rds/cluster:Cluster",
    "aws:docdb/cluster:Cluster",
    "aws:neptune/cluster:Cluster",
)
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Databases that are deleted without a snapshot."""
    skipped = resource.get("skipFinalSnapshot")
    if skipped is UNKNOWN:
        yield Undecided("skipFinalSnapshot")
    elif skipped and resource.get("replicateSourceDb") is None:
        yield Finding("skipFinalSnapshot", "nothing is left of the database once it is deleted")


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Instances whose backups go with them."""
    if resource.get("masterInstanceName") is not None:
        return
    paths = ("settings.finalBackupConfig.enabled", "settings.retainBackupsOnDelete")
    values = [resource.get(path) for path in paths]
    if any(value is True for value in values):
        return
    if any(value is UNKNOWN for value in values):
        yield Undecided(paths[0])
    else:
        yield Finding(paths[0], "nothing is left of the database once it is deleted")
