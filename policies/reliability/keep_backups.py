"""A database can be brought back to what it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Databases are backed up",
    severity="high",
    description="A wrong statement is often noticed days after it ran. RDS keeps no backup of an instance, "
    "and Cloud SQL makes none, unless they are told to.",
    remediation="Set `backupRetentionPeriod` on RDS; on Cloud SQL `backupConfiguration` with `enabled`, "
    "`pointInTimeRecoveryEnabled` (MySQL: `binaryLogEnabled`) and `backupRetentionSettings`.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    options={
        "days": Option({"type": "integer", "minimum": 1}, 7, "How many days back there must be backups.")
    },
    # What is in dev's databases is made anew.
    levels={"dev": "disabled"},
)

_BACKUPS = "settings.backupConfiguration"


@POLICY.on("aws:rds/instance:Instance", "aws:rds/cluster:Cluster", "aws:docdb/cluster:Cluster")
def on_aws(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Databases with fewer days of backups."""
    if (
        resource.get("replicateSourceDb") is not None
        or resource.get("replicationSourceIdentifier") is not None
    ):
        return
    path = "backupRetentionPeriod"
    kept = resource.get(path)
    if kept is UNKNOWN:
        yield Undecided(path)
        return
    if kept is None:
        kept = 0 if resource.type == "aws:rds/instance:Instance" else 1
    if kept < options["days"]:
        yield Finding(path, f"keeps {kept:g} days of backups, expected {options['days']} or more")


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_google(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Instances with fewer backups, or without the log between them."""
    if resource.get("masterInstanceName") is not None:
        return
    config: Any = resource.get(_BACKUPS)
    enabled = resource.get(f"{_BACKUPS}.enabled")
    if config is UNKNOWN or enabled is UNKNOWN:
        yield Undecided(f"{_BACKUPS}.enabled")
    elif not enabled:
        yield Finding(f"{_BACKUPS}.enabled", "is not set: the database is never backed up")
    else:
        yield from _of_the_log(resource)
        path = f"{_BACKUPS}.backupRetentionSettings.retainedBackups"
        kept = resource.get(path)
        if kept is UNKNOWN:
            yield Undecided(path)
        elif (7 if kept is None else kept) < options["days"]:
            # A backup is made every day.
            yield Finding(
                path, f"keeps {7 if kept is None else kept:g} backups, expected {options['days']} or more"
            )


def _of_the_log(resource: Resource) -> Iterator[Judgement]:
    version = resource.get("databaseVersion")
    if version is UNKNOWN:
        yield Undecided("databaseVersion")
        return
    path = f"{_BACKUPS}.{'binaryLogEnabled' if version.startswith('MYSQL') else 'pointInTimeRecoveryEnabled'}"
    log = resource.get(path)
    if log is UNKNOWN:
        yield Undecided(path)
    elif not log:
        yield Finding(path, "is not set: what was written since the last backup cannot be brought back")
