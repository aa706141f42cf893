"""Spec of reliability.guard_deletion."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _rds(**props: Any) -> Resource:
    return resource("aws:rds/instance:Instance", props)


def _sql(settings: Any = None) -> Resource:
    return resource("gcp:sql/databaseInstance:DatabaseInstance", {"settings": settings})


SPEC = Spec(
    passes={
        "RDS": _rds(deletionProtection=True),
        "DynamoDB": resource("aws:dynamodb/table:Table", {"deletionProtectionEnabled": True}),
        "Cloud SQL": _sql({"deletionProtectionEnabled": True}),
        "Firestore": resource(
            "gcp:firestore/database:Database", {"deleteProtectionState": "DELETE_PROTECTION_ENABLED"}
        ),
        "GKE with defaults": resource("gcp:container/cluster:Cluster", {}),
    },
    fails={
        "RDS with defaults": Fails(_rds(), "deletionProtection", "one call deletes it"),
        "RDS though Pulumi protects it": Fails(
            resource("aws:rds/instance:Instance", {}, protect=True), "deletionProtection"
        ),
        "EKS": Fails(
            resource("aws:eks/cluster:Cluster", {"deletionProtection": False}), "deletionProtection"
        ),
        "DynamoDB": Fails(resource("aws:dynamodb/table:Table", {}), "deletionProtectionEnabled", "off"),
        "Cloud SQL": Fails(_sql({}), "settings.deletionProtectionEnabled"),
        "Firestore": Fails(
            resource(
                "gcp:firestore/database:Database", {"deleteProtectionState": "DELETE_PROTECTION_DISABLED"}
            ),
            "deleteProtectionState",
            "'DELETE_PROTECTION_DISABLED'",
        ),
        "GKE": Fails(
            resource("gcp:container/cluster:Cluster", {"deletionProtection": False}), "deletionProtection"
        ),
    },
    unknown={"of RDS": _rds(deletionProtection=UNKNOWN), "of Cloud SQL": _sql(UNKNOWN)},
)
