"""A deleted database leaves a backup."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="A deleted database leaves a backup",
    severity="medium",
    description="The deletion of a database, by mistake or for a replacement that a changed property "
    "requires, also deletes its automated backups. A final snapshot costs cents. While an environment's "
    "file has `teardown`, this policy is advisory.",
    remediation="On RDS leave `skipFinalSnapshot` at false with a `finalSnapshotIdentifier`; on Cloud SQL "
    "set `finalBackupConfig: {enabled: true}` or `retainBackupsOnDelete: true`.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    levels={"dev": "disabled", "staging": "disabled"},
    teardown_exempt=True,
)

_LOST = "no backup remains after the database is deleted"


@POLICY.on(
    "aws:rds/instance:Instance",
    "aws:rds/cluster:Cluster",
    "aws:docdb/cluster:Cluster",
    "aws:neptune/cluster:Cluster",
)
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Databases that are deleted without a snapshot."""
    if resource.known("skipFinalSnapshot") and resource.raw("replicateSourceDb") is None:
        yield Violation("skipFinalSnapshot", _LOST)


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Instances whose backups are deleted with them."""
    if resource.raw("masterInstanceName") is not None:
        return
    paths = ("settings.finalBackupConfig.enabled", "settings.retainBackupsOnDelete")
    keeps_backup = any(resource.raw(path) is True for path in paths)
    if not keeps_backup and all(resource.known(path) is not True for path in paths):
        yield Violation(paths[0], _LOST)
