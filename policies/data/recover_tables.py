"""A table can be had as it was an hour ago."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Tables can be had as they were",
    severity="medium",
    description="A wrong job overwrites a table in seconds. With recovery to a point in time, or time "
    "travel, it is as it was before; both are off or short unless it is said.",
    remediation="Set `pointInTimeRecovery.enabled: true` on DynamoDB, `pointInTimeRecoveryEnablement: "
    "POINT_IN_TIME_RECOVERY_ENABLED` on Firestore, and leave `maxTimeTravelHours` of BigQuery at 168.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    # What dev and staging have comes from elsewhere.
    levels={"dev": "disabled", "staging": "disabled"},
)

_WEEK = 168


@POLICY.on("aws:dynamodb/table:Table")
def on_dynamodb(resource: Resource) -> Iterator[Judgement]:
    """DynamoDB recovers nothing unless it is said."""
    path = "pointInTimeRecovery.enabled"
    said = resource.get(path)
    if said is UNKNOWN:
        yield Undecided(path)
    elif said is not True and resource.get("restoreSourceName") is None:
        yield Finding(path, "is not set, so a table that is overwritten is lost")


@POLICY.on("gcp:firestore/database:Database")
def on_firestore(resource: Resource) -> Iterator[Judgement]:
    """Firestore goes back an hour unless it is said."""
    path = "pointInTimeRecoveryEnablement"
    said = resource.get(path)
    if said is UNKNOWN:
        yield Undecided(path)
    elif said != "POINT_IN_TIME_RECOVERY_ENABLED":
        yield Finding(path, "is not set, so nothing older than an hour can be had")


@POLICY.on("gcp:bigquery/dataset:Dataset")
def on_bigquery(resource: Resource) -> Iterator[Judgement]:
    """BigQuery goes back a week unless it is told less; a dataset of tables that expire may."""
    path = "maxTimeTravelHours"
    said = resource.get(path)
    if said is UNKNOWN:
        yield Undecided(path)
    elif (
        # A text of hours; BigQuery refuses any other.
        str(said).isdecimal() and int(said) < _WEEK and resource.get("defaultTableExpirationMs") is None
    ):
        yield Finding(path, f"is {said!r}, less than a week")
