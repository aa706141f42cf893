"""Databases can be restored."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Option, Options, Outcome, Policy, Resource, Violation, check_each, describe

POLICY = Policy(
    title="Databases are backed up",
    severity="high",
    description="A wrong statement is often noticed days after it ran. By default RDS keeps no backup of an "
    "instance, and Cloud SQL creates none.",
    remediation="Set `backupRetentionPeriod` on RDS; on Cloud SQL `backupConfiguration` with `enabled`, "
    "`pointInTimeRecoveryEnabled` (MySQL: `binaryLogEnabled`) and `backupRetentionSettings`.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    options={
        "days": Option({"type": "integer", "minimum": 1}, 7, "How many days back there must be backups.")
    },
    # The data of dev can be created again.
    levels={"dev": "disabled"},
)

_BACKUPS = "settings.backupConfiguration"
_RETAINED = f"{_BACKUPS}.backupRetentionSettings.retainedBackups"
# Cloud SQL's default; it creates a backup every day.
_DEFAULT_RETAINED = 7


@POLICY.on("aws:rds/instance:Instance", "aws:rds/cluster:Cluster", "aws:docdb/cluster:Cluster")
def on_aws(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Databases with fewer days of backups."""
    replica_of = ("replicateSourceDb", "replicationSourceIdentifier")
    if any(resource.raw(key) is not None for key in replica_of):
        return
    days = resource.known("backupRetentionPeriod")
    if days is None:
        days = 0 if resource.type == "aws:rds/instance:Instance" else 1
    if days < options["days"]:
        problem = f"keeps {days:g} days of backups; expected {options['days']} or more"
        yield Violation("backupRetentionPeriod", problem)


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_google(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Instances with fewer backups, or without the log between them."""
    if resource.raw("masterInstanceName") is not None:
        return
    enabled = resource.known(f"{_BACKUPS}.enabled")
    if not enabled:
        yield Violation(f"{_BACKUPS}.enabled", f"{describe(enabled)}: the database is never backed up")
        return
    yield from check_each([resource], _check_log)
    backups = resource.known(_RETAINED)
    backups = _DEFAULT_RETAINED if backups is None else backups
    if backups < options["days"]:
        yield Violation(_RETAINED, f"keeps {backups:g} backups; expected {options['days']} or more")


def _check_log(resource: Resource) -> Iterator[Outcome]:
    mysql = resource.known("databaseVersion").startswith("MYSQL")
    path = f"{_BACKUPS}.{'binaryLogEnabled' if mysql else 'pointInTimeRecoveryEnabled'}"
    enabled = resource.known(path)
    if not enabled:
        yield Violation(path, f"{describe(enabled)}: changes since the last backup cannot be restored")
