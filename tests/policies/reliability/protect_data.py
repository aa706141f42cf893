"""Spec of reliability.protect_data."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _rds(protection: Any = None, **more: Any) -> Resource:
    return resource("aws:rds/instance:Instance", {"deletionProtection": protection}, **more)


def _bucket(forced: Any = None, kind: str = "aws:s3/bucket:Bucket", **more: Any) -> Resource:
    return resource(kind, {"forceDestroy": forced}, **more)


SPEC = Spec(
    passes={
        "a database that Pulumi protects": _rds(protect=True),
        "a database that the cloud protects": _rds(True),
        "a bucket that is not emptied": _bucket(),
        "a bucket that is emptied, and protected": _bucket(True, protect=True),
        "a dataset of tables that go by themselves": resource(
            "gcp:bigquery/dataset:Dataset",
            {"deleteContentsOnDestroy": True, "defaultTableExpirationMs": 86400000},
        ),
        "a database that Pulumi protects, whatever the cloud does": _rds(UNKNOWN, protect=True),
    },
    fails={
        "a database": Fails(_rds(), "", "neither Pulumi nor the cloud"),
        "a table": Fails(resource("aws:dynamodb/table:Table", {"deletionProtectionEnabled": False}), ""),
        "a bucket": Fails(_bucket(True), "forceDestroy", "with all that is in it"),
        "a bucket on Google Cloud": Fails(_bucket(True, "gcp:storage/bucket:Bucket"), "forceDestroy"),
        "a registry": Fails(resource("aws:ecr/repository:Repository", {"forceDelete": True}), "forceDelete"),
        "a dataset": Fails(
            resource("gcp:bigquery/dataset:Dataset", {"deleteContentsOnDestroy": True}),
            "deleteContentsOnDestroy",
        ),
    },
    unknown={
        "whether the cloud protects it": _rds(UNKNOWN),
        "whether it is emptied": _bucket(UNKNOWN),
    },
)
