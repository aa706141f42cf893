"""Spec of reliability.keep_backups."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource

BACKUPS = "settings.backupConfiguration"
KEPT = f"{BACKUPS}.backupRetentionSettings.retainedBackups"


def _rds(kind: str = "instance:Instance", **props: Any) -> Resource:
    return resource(f"aws:rds/{kind}", props)


def _sql(retained: Any = None, log: Any = True, version: Any = "POSTGRES_18", **props: Any) -> Resource:
    config = {
        "enabled": True,
        "pointInTimeRecoveryEnabled": log,
        "backupRetentionSettings": {"retainedBackups": retained},
    }
    settings = {"backupConfiguration": config}
    return resource(
        "gcp:sql/databaseInstance:DatabaseInstance",
        {"databaseVersion": version, "settings": settings, **props},
    )


def _bare(backups: Any = None) -> Resource:
    return resource(
        "gcp:sql/databaseInstance:DatabaseInstance",
        {"databaseVersion": "POSTGRES_18", "settings": {"backupConfiguration": backups}},
    )


SPEC = Spec(
    passes={
        "two weeks on RDS": _rds(backupRetentionPeriod=14),
        "a read replica": _rds(replicateSourceDb="acme"),
        "Cloud SQL's own seven": _sql(),
        "two weeks on Cloud SQL": _sql(14),
        "a replica of Cloud SQL": resource(
            "gcp:sql/databaseInstance:DatabaseInstance", {"masterInstanceName": "acme"}
        ),
    },
    fails={
        "an instance with defaults": Fails(_rds(), "backupRetentionPeriod", "keeps 0 days"),
        "a cluster with defaults": Fails(
            _rds("cluster:Cluster"), "backupRetentionPeriod", "keeps 1 days of backups; expected 7"
        ),
        "three days": Fails(_rds(backupRetentionPeriod=3), "backupRetentionPeriod", "keeps 3"),
        "Cloud SQL with defaults": Fails(_bare(), f"{BACKUPS}.enabled", "never backed up"),
        "Cloud SQL, set explicitly": Fails(_bare({"enabled": False}), f"{BACKUPS}.enabled"),
        "three on Cloud SQL": Fails(_sql(3), KEPT, "keeps 3 backups"),
        "no log": Fails(_sql(log=False), f"{BACKUPS}.pointInTimeRecoveryEnabled", "last backup"),
        "no log of MySQL": Fails(_sql(version="MYSQL_8_4"), f"{BACKUPS}.binaryLogEnabled"),
    },
    unknown={
        "how long on RDS": _rds(backupRetentionPeriod=UNKNOWN),
        "anything of Cloud SQL": _bare(UNKNOWN),
        "whether Cloud SQL does": _bare({"enabled": UNKNOWN}),
        "how many on Cloud SQL": _sql(UNKNOWN),
        "whether there is a log": _sql(log=UNKNOWN),
        "what database it is": _sql(version=UNKNOWN),
    },
    configured={
        "a month": Case(_rds(backupRetentionPeriod=14), {"days": 30}, fails=True),
        "a day": Case(_rds("cluster:Cluster"), {"days": 1}, fails=False),
    },
)
