"""Tables can be restored to an earlier point in time."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, describe

POLICY = Policy(
    title="Tables have point-in-time recovery",
    severity="medium",
    description="A wrong job overwrites a table in seconds. Point-in-time recovery, or time travel, restores "
    "its earlier state; both are off or short by default.",
    remediation="Set `pointInTimeRecovery.enabled: true` on DynamoDB, `pointInTimeRecoveryEnablement: "
    "POINT_IN_TIME_RECOVERY_ENABLED` on Firestore, and leave `maxTimeTravelHours` of BigQuery at 168.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    # The data of dev and staging is copied from other sources.
    levels={"dev": "disabled", "staging": "disabled"},
)

_WEEK = 168


@POLICY.on("aws:dynamodb/table:Table")
def on_dynamodb(resource: Resource) -> Iterator[Outcome]:
    """DynamoDB tables, which have no recovery by default."""
    path = "pointInTimeRecovery.enabled"
    enabled = resource.known(path)
    if enabled is not True and resource.raw("restoreSourceName") is None:
        yield Violation(path, f"{describe(enabled)}, so an overwritten table is lost")


@POLICY.on("gcp:firestore/database:Database")
def on_firestore(resource: Resource) -> Iterator[Outcome]:
    """Firestore databases, which keep one hour by default."""
    path = "pointInTimeRecoveryEnablement"
    value = resource.known(path)
    if value != "POINT_IN_TIME_RECOVERY_ENABLED":
        yield Violation(path, f"{describe(value)}, so nothing older than an hour can be restored")


@POLICY.on("gcp:bigquery/dataset:Dataset")
def on_bigquery(resource: Resource) -> Iterator[Outcome]:
    """BigQuery datasets, which keep a week by default; a dataset of tables that expire may keep less."""
    path = "maxTimeTravelHours"
    hours = resource.known(path)
    # A string of digits; BigQuery refuses any other.
    short = str(hours).isdecimal() and int(hours) < _WEEK
    if short and resource.raw("defaultTableExpirationMs") is None:
        yield Violation(path, f"is {hours!r}, less than a week")
