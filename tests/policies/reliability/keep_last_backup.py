"""Spec of reliability.keep_last_backup."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

FINAL = "settings.finalBackupConfig.enabled"


def _rds(**props: Any) -> Resource:
    return resource("aws:rds/instance:Instance", props)


def _sql(settings: Any, **props: Any) -> Resource:
    return resource("gcp:sql/databaseInstance:DatabaseInstance", {"settings": settings, **props})


SPEC = Spec(
    passes={
        "a snapshot": _rds(finalSnapshotIdentifier="acme-final"),
        "a read replica": _rds(skipFinalSnapshot=True, replicateSourceDb="acme"),
        "a final backup": _sql({"finalBackupConfig": {"enabled": True}}),
        "backups that stay": _sql({"retainBackupsOnDelete": True, "finalBackupConfig": UNKNOWN}),
        "a replica of Cloud SQL": _sql({}, masterInstanceName="acme"),
    },
    fails={
        "none": Fails(_rds(skipFinalSnapshot=True), "skipFinalSnapshot", "no backup remains"),
        "none of a cluster": Fails(
            resource("aws:rds/cluster:Cluster", {"skipFinalSnapshot": True}), "skipFinalSnapshot"
        ),
        "none of Cloud SQL": Fails(_sql({"tier": "db-custom-2-8192"}), FINAL, "no backup remains"),
        "none of Cloud SQL, set explicitly": Fails(
            _sql({"finalBackupConfig": {"enabled": False}, "retainBackupsOnDelete": False}), FINAL
        ),
    },
    unknown={
        "on RDS": _rds(skipFinalSnapshot=UNKNOWN),
        "on Cloud SQL": _sql({"finalBackupConfig": {"enabled": UNKNOWN}}),
    },
)
