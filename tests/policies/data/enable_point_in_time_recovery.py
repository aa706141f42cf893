"""Spec of data.recover_tables."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _table(**props: Any) -> Resource:
    return resource("aws:dynamodb/table:Table", {"hashKey": "id", **props})


def _dataset(**props: Any) -> Resource:
    return resource("gcp:bigquery/dataset:Dataset", {"datasetId": "raw", **props})


def _firestore(**props: Any) -> Resource:
    return resource("gcp:firestore/database:Database", {"type": "DATASTORE_MODE", **props})


SPEC = Spec(
    passes={
        "a table that recovers": _table(pointInTimeRecovery={"enabled": True}),
        "a dataset with defaults": _dataset(),
        "a time that BigQuery refuses": _dataset(maxTimeTravelHours="two days"),
        "tables that expire": _dataset(maxTimeTravelHours="48", defaultTableExpirationMs=86400000),
        "Firestore that recovers": _firestore(pointInTimeRecoveryEnablement="POINT_IN_TIME_RECOVERY_ENABLED"),
    },
    fails={
        "a table with defaults": Fails(_table(), "pointInTimeRecovery.enabled", "is lost"),
        "a table that disables it": Fails(
            _table(pointInTimeRecovery={"enabled": False}), "pointInTimeRecovery.enabled"
        ),
        "two days": Fails(_dataset(maxTimeTravelHours="48"), "maxTimeTravelHours", "'48'"),
        "Firestore with defaults": Fails(_firestore(), "pointInTimeRecoveryEnablement"),
    },
    unknown={
        "a flag": _table(pointInTimeRecovery={"enabled": UNKNOWN}),
        "a time": _dataset(maxTimeTravelHours=UNKNOWN),
    },
)
