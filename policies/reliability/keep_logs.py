"""Logs are there when somebody asks what happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Logs are kept long enough",
    severity="medium",
    description="An intrusion is often noticed weeks after it began, and then the logs of its first day are "
    "what tells how it began. Google Cloud keeps logs for 30 days where nothing is said.",
    remediation="Raise `retentionInDays` or `retentionDays`, or have `least_days` lowered for this profile "
    "in strictness.yaml.",
    frameworks=("NIST 800-53 AU-11", "SOC 2 CC7.3"),
    options={
        "least_days": Option({"type": "integer", "minimum": 1}, 90, "How many days back logs must go."),
    },
)

_BY_DEFAULT: Final = 30


@POLICY.on("aws:cloudwatch/logGroup:LogGroup")
def on_aws(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Log groups, which keep records for ever where nothing or 0 is said; but those that deliver to an
    archive."""
    days = resource.get("retentionInDays")
    if resource.get("logGroupClass") == "DELIVERY":
        return
    if days is UNKNOWN:
        yield Undecided("retentionInDays")
    elif days and days < options["least_days"]:
        yield Finding("retentionInDays", f"is {days:g}, less than {options['least_days']} days")


@POLICY.on("gcp:logging/projectBucketConfig:ProjectBucketConfig")
def on_google(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Log buckets."""
    days = resource.get("retentionDays")
    if days is UNKNOWN:
        yield Undecided("retentionDays")
    elif (days or _BY_DEFAULT) < options["least_days"]:
        said = f"is {days:g}" if days else f"is not set, and {_BY_DEFAULT} by default"
        yield Finding("retentionDays", f"{said}, less than {options['least_days']} days")
