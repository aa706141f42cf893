"""Logs are kept long enough to investigate an incident."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Option, Options, Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Logs are kept long enough",
    severity="medium",
    description="An intrusion is often noticed weeks after it began, and the logs of its first day show how "
    "it began. Google Cloud keeps logs for 30 days by default.",
    remediation="Raise `retentionInDays` or `retentionDays`, or have `least_days` lowered for this profile "
    "in enforcement.yaml.",
    frameworks=("NIST 800-53 AU-11", "SOC 2 CC7.3"),
    options={
        "least_days": Option({"type": "integer", "minimum": 1}, 90, "The shortest retention, in days."),
    },
)

_DEFAULT_DAYS: Final = 30


@POLICY.on("aws:cloudwatch/logGroup:LogGroup")
def on_aws(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Log groups, which keep records without limit by default and with 0, except those that only deliver to
    an archive."""
    if resource.known("logGroupClass") == "DELIVERY":
        return
    days = resource.known("retentionInDays")
    if days and days < options["least_days"]:
        yield Violation("retentionInDays", f"is {days:g}, less than {options['least_days']} days")


@POLICY.on("gcp:logging/projectBucketConfig:ProjectBucketConfig")
def on_google(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Log buckets."""
    days = resource.known("retentionDays")
    if (days or _DEFAULT_DAYS) < options["least_days"]:
        value = f"is {days:g}" if days else f"is not set, and {_DEFAULT_DAYS} by default"
        yield Violation("retentionDays", f"{value}, less than {options['least_days']} days")
