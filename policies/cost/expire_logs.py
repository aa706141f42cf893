"""Logs expire."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Option, Options, Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Logs expire",
    severity="medium",
    description="A log group of CloudWatch keeps its records without limit by default, and its cost grows "
    "every month. Records that must be kept for years belong into an archive.",
    remediation="Set `retentionInDays`, or on Google Cloud a lower `retentionDays`.",
    frameworks=("NIST 800-53 AU-11",),
    options={"most_days": Option({"type": "integer", "minimum": 1}, 731, "The longest retention, in days.")},
)


@POLICY.on("aws:cloudwatch/logGroup:LogGroup")
def on_aws(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Log groups, except those that only deliver to an archive."""
    if resource.known("logGroupClass") == "DELIVERY":
        return
    days = resource.known("retentionInDays")
    if not days:
        yield Violation("retentionInDays", "is not set, so the group keeps its records without limit")
    elif days > options["most_days"]:
        yield Violation("retentionInDays", f"is {days:g}, more than {options['most_days']} days")


@POLICY.on("gcp:logging/projectBucketConfig:ProjectBucketConfig")
def on_google(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Log buckets, which keep records for 30 days by default."""
    days = resource.known("retentionDays")
    if days and days > options["most_days"]:
        yield Violation("retentionDays", f"is {days:g}, more than {options['most_days']} days")
