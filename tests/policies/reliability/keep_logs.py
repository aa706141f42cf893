"""Spec of reliability.keep_logs."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource

_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"

SPEC = Spec(
    passes={
        "a year": resource(_GROUP, {"retentionInDays": 365}),
        "without limit": resource(_GROUP, {"retentionInDays": 0}),
        "a group with defaults": resource(_GROUP, {"name": "a"}),
        "a group that delivers": resource(_GROUP, {"logGroupClass": "DELIVERY", "retentionInDays": 2}),
        "a year on Google Cloud": resource(_BUCKET, {"retentionDays": 365}),
    },
    fails={
        "a week": Fails(resource(_GROUP, {"retentionInDays": 7}), "retentionInDays", "is 7, less than 90"),
        "a month on Google Cloud": Fails(resource(_BUCKET, {"retentionDays": 30}), "retentionDays", "is 30"),
        "a bucket with defaults": Fails(
            resource(_BUCKET, {"bucketId": "flow-logs"}), "retentionDays", "30 by default"
        ),
    },
    unknown={
        "a time": resource(_GROUP, {"retentionInDays": UNKNOWN}),
        "a bucket's time": resource(_BUCKET, {"retentionDays": UNKNOWN}),
    },
    configured={
        "a year at least": Case(resource(_GROUP, {"retentionInDays": 180}), {"least_days": 365}, fails=True),
        "a week is enough": Case(resource(_BUCKET, {"retentionDays": 7}), {"least_days": 7}, fails=False),
    },
)
