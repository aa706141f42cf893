"""Spec of cost.expire_logs."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource

_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"

SPEC = Spec(
    passes={
        "a year": resource(_GROUP, {"retentionInDays": 365}),
        "a group that delivers": resource(_GROUP, {"logGroupClass": "DELIVERY"}),
        "a bucket with defaults": resource(_BUCKET, {"bucketId": "flow-logs"}),
    },
    fails={
        "a group with defaults": Fails(resource(_GROUP, {"name": "a"}), "retentionInDays", "without limit"),
        "without limit": Fails(resource(_GROUP, {"retentionInDays": 0}), "retentionInDays", "without limit"),
        "ten years": Fails(resource(_GROUP, {"retentionInDays": 3653}), "retentionInDays", "is 3653"),
        "ten years on Google Cloud": Fails(resource(_BUCKET, {"retentionDays": 3650}), "retentionDays"),
    },
    unknown={
        "a time": resource(_GROUP, {"retentionInDays": UNKNOWN}),
        "a bucket's time": resource(_BUCKET, {"retentionDays": UNKNOWN}),
    },
    configured={
        "a month at most": Case(resource(_GROUP, {"retentionInDays": 90}), {"most_days": 30}, fails=True),
        "ten years": Case(resource(_GROUP, {"retentionInDays": 3653}), {"most_days": 3653}, fails=False),
    },
)
