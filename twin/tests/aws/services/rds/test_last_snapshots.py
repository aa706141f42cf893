"""The snapshot that an instance of RDS leaves when it is deleted."""

from __future__ import annotations

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.iam.test_authorization import refused

NAME = "acme-dev-mlflow"


def _make(clients: Clients) -> None:
    clients("rds").create_db_instance(
        DBInstanceIdentifier=NAME,
        Engine="postgres",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        MasterUsername="registry_master",
        ManageMasterUserPassword=True,
    )


def test_a_second_life_needs_another_name_for_its_last_snapshot(clients: Clients) -> None:
    rds = clients("rds")
    _make(clients)
    rds.delete_db_instance(DBInstanceIdentifier=NAME, FinalDBSnapshotIdentifier=f"{NAME}-final")
    assert [
        db_snapshot["DBSnapshotIdentifier"] for db_snapshot in rds.describe_db_snapshots()["DBSnapshots"]
    ] == [f"{NAME}-final"], "a snapshot outlives its instance"
    _make(clients)
    code, _ = refused(
        rds.delete_db_instance, DBInstanceIdentifier=NAME, FinalDBSnapshotIdentifier=f"{NAME}-final"
    )
    assert code == "DBSnapshotAlreadyExists"
    assert rds.describe_db_instances()["DBInstances"], "and the instance is still there"
    rds.delete_db_instance(DBInstanceIdentifier=NAME, FinalDBSnapshotIdentifier=f"{NAME}-final-1a2b3c4d")
    assert rds.describe_db_instances()["DBInstances"] == []
