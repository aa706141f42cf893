"""Logs end some day."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Logs expire",
    severity="medium",
    description="A log group of CloudWatch keeps its records for ever unless it is told how long, and every "
    "month costs more than the last. What must be kept for years belongs into an archive.",
    remediation="Set `retentionInDays`, or on Google Cloud a lower `retentionDays`.",
    frameworks=("NIST 800-53 AU-11",),
    options={"most_days": Option({"type": "integer", "minimum": 1}, 731, "The longest that logs are kept.")},
)


@POLICY.on("aws:cloudwatch/logGroup:LogGroup")
def on_aws(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Log groups; those that deliver to an archive keep nothing for long."""
    days = resource.get("retentionInDays")
    if resource.get("logGroupClass") == "DELIVERY":
        return
    if days is UNKNOWN:
        yield Undecided("retentionInDays")
    elif not days:
        yield Finding("retentionInDays", "is not set, so the group keeps its records for ever")
    elif days > options["most_days"]:
        yield Finding("retentionInDays", f"is {days:g}, more than {options['most_days']} days")


@POLICY.on("gcp:logging/projectBucketConfig:ProjectBucketConfig")
def on_google(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Log buckets, which keep records for 30 days unless they are told otherwise."""
    days = resource.get("retentionDays")
    if days is UNKNOWN:
        yield Undecided("retentionDays")
    elif days and days > options["most_days"]:
        yield Finding("retentionDays", f"is {days:g}, more than {options['most_days']} days")
