"""Logs are encrypted with a customer-managed key."""

from __future__ import annotations

from ..framework import Policy
from ..framework.customer_keys import Key, require_customer_keys

POLICY = Policy(
    title="Logs with a customer-managed key",
    severity="medium",
    description="Logs repeat what requests contain: names, addresses, and tokens that were logged by "
    "mistake. They are encrypted with a customer-managed key as the data is.",
    remediation="Set `kmsKeyId` on log groups and trails; `cmekSettings.kmsKeyName` on log buckets.",
    frameworks=("NIST 800-53 AU-9", "NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

require_customer_keys(
    POLICY,
    {
        "aws:cloudwatch/logGroup:LogGroup": Key("kmsKeyId", "its records"),
        "aws:cloudtrail/trail:Trail": Key("kmsKeyId", "its records"),
        # The two buckets of every project get a key only by a setting of the organization.
        "gcp:logging/projectBucketConfig:ProjectBucketConfig": Key(
            "cmekSettings.kmsKeyName", "its records", unless={"bucketId": ("_Default", "_Required")}
        ),
    },
)
