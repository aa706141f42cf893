"""Logs are encrypted with a customer's key."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import Judgement, Policy, Resource
from ..pack.keys import customer_key

POLICY = Policy(
    title="Logs under a customer's key",
    severity="medium",
    description="Logs repeat what requests carry: names, addresses, tokens that nobody meant to write. "
    "They are encrypted with a key of one's own as the data is.",
    remediation="Set `kmsKeyId` on log groups and trails; `cmekSettings.kmsKeyName` on log buckets.",
    frameworks=("NIST 800-53 AU-9", "NIST 800-53 SC-28", "SOC 2 CC6.1"),
)


@POLICY.on("aws:cloudwatch/logGroup:LogGroup", "aws:cloudtrail/trail:Trail")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Log groups and trails."""
    yield from customer_key(resource, "kmsKeyId", "its records")


@POLICY.on("gcp:logging/projectBucketConfig:ProjectBucketConfig")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Log buckets; the two that every project has take a key only as a setting of the organisation."""
    if resource.get("bucketId") not in ("_Default", "_Required"):
        yield from customer_key(resource, "cmekSettings.kmsKeyName", "its records")
