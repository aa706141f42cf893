"""RDS through the API server: instances with their groups, as strict as AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.provider_interface import CloudError, Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import Made, make, refused

INSTANCE = "aws:rds/instance:Instance"
SUBNETS = "aws:rds/subnetGroup:SubnetGroup"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"


@pytest.fixture(scope="module")
def place(clients: Clients, key: str) -> dict[str, Any]:
    """A network of two zones and another one, a key, groups for PostgreSQL 17."""
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    other = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"us-west-2{zone}")[
            "Subnet"
        ]["SubnetId"]
        for index, zone in enumerate("ab")
    ]
    place: dict[str, Any] = {"vpc": vpc, "subnets": subnets, "account": clients.server.instance.account}
    for name, where in (("group", vpc), ("other_group", other)):
        place[name] = ec2.create_security_group(GroupName="db", Description="d", VpcId=where)["GroupId"]
    place["key"] = key
    make(clients.context(), SUBNETS, name="db", subnetIds=subnets)
    make(clients.context(), PARAMETERS, name="pg17", family="postgres17")
    make(clients.context(), PARAMETERS, name="pg16", family="postgres16")
    return place


def inputs(place: dict[str, Any], **more: Any) -> Props:
    """A database as the model registry makes it."""
    arguments: Props = {
        "identifier": "mlflow",
        "engine": "postgres",
        "engineVersion": "17",
        "instanceClass": "db.t4g.micro",
        "allocatedStorage": 20,
        "storageType": "gp3",
        "storageEncrypted": True,
        "kmsKeyId": place["key"],
        "dbName": "mlflow",
        "username": "mlflow",
        "manageMasterUserPassword": True,
        "masterUserSecretKmsKeyId": place["key"],
        "dbSubnetGroupName": "db",
        "parameterGroupName": "pg17",
        "vpcSecurityGroupIds": [place["group"]],
        "iamDatabaseAuthenticationEnabled": True,
        "backupRetentionPeriod": 7,
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": place["key"],
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "skipFinalSnapshot": True,
        **more,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def instance(clients: Clients, place: dict[str, Any], **more: Any) -> Made:
    return make(clients.context(), INSTANCE, **inputs(place, **more))


def test_an_instance_is_as_asked_and_rds_keeps_its_password(clients: Clients, place: dict[str, Any]) -> None:
    database = instance(clients, place, maxAllocatedStorage=100, multiAz=True, tags={"team": "ml"})
    state = database.outputs
    assert database.id == state["resourceId"]
    assert state["resourceId"].startswith("db-")
    assert state["arn"] == f"arn:aws:rds:us-west-2:{place['account']}:db:mlflow"
    assert state["engineVersion"] == "17", "a prefix stays as the program says it"
    assert state["engineVersionActual"].startswith("17.")
    assert (state["performanceInsightsEnabled"], state["performanceInsightsRetentionPeriod"]) == (True, 7)
    assert state["kmsKeyId"] == state["performanceInsightsKmsKeyId"] == place["key"]
    assert (state["maxAllocatedStorage"], state["multiAz"], state["iamDatabaseAuthenticationEnabled"]) == (
        100,
        True,
        True,
    )
    assert state["endpoint"] == f"{state['address']}:5432"
    assert state["enabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    [secret] = state["masterUserSecrets"]
    assert secret["kmsKeyId"] == place["key"]
    value = clients("secretsmanager").get_secret_value(SecretId=secret["secretArn"])["SecretString"]
    known = json.loads(value)
    assert known["username"] == "mlflow"
    assert len(known["password"]) == 28
    assert known["password"] not in json.dumps(state), "the password is in no state"
    described = clients("secretsmanager").describe_secret(SecretId=secret["secretArn"])
    assert (described["RotationEnabled"], described["OwningService"]) == (True, "rds")
    assert "mlflow" in clients.server._inventory.of(clients.server)["rds/databases"]
    database.delete()
    assert database.read() is None
    assert "rds/databases" not in clients.server._inventory.of(clients.server)
    with pytest.raises(clients("secretsmanager").exceptions.ResourceNotFoundException):
        clients("secretsmanager").describe_secret(SecretId=secret["secretArn"])


def test_what_changes_waits_for_the_window_unless_it_is_to_be_at_once(
    clients: Clients, place: dict[str, Any]
) -> None:
    database = instance(clients, place)
    later = database.update(instanceClass="db.t4g.small", backupRetentionPeriod=14)
    assert (later["instanceClass"], later["backupRetentionPeriod"]) == ("db.t4g.micro", 14)
    waiting = clients("rds").describe_db_instances(DBInstanceIdentifier="mlflow")["DBInstances"][0]
    assert waiting["PendingModifiedValues"]["DBInstanceClass"] == "db.t4g.small"
    now = database.update(instanceClass="db.t4g.small", applyImmediately=True, allocatedStorage=30)
    assert (now["instanceClass"], now["allocatedStorage"]) == ("db.t4g.small", 30)
    off = database.update(enabledCloudwatchLogsExports=["postgresql"], performanceInsightsEnabled=False)
    assert off["enabledCloudwatchLogsExports"] == ["postgresql"]
    assert off["performanceInsightsEnabled"] is False
    with pytest.raises(CloudError, match="can't be reduced from 30 to 25"):
        database.update(allocatedStorage=25)
    database.inputs["allocatedStorage"] = 30
    with pytest.raises(CloudError, match="AllowMajorVersionUpgrade flag must be present") as error:
        database.update(engineVersion="18", parameterGroupName=None)
    assert error.value.path == "allowMajorVersionUpgrade"
    database.delete()


def test_a_protected_instance_stays_and_the_last_snapshot_is_named_or_waived(
    clients: Clients, place: dict[str, Any]
) -> None:
    database = instance(clients, place, deletionProtection=True, skipFinalSnapshot=False)
    with pytest.raises(CloudError, match="final_snapshot_identifier is required"):
        database.delete()
    database.update(finalSnapshotIdentifier="mlflow-last")
    with pytest.raises(CloudError, match="Cannot delete protected DB Instance"):
        database.delete()
    database.update(deletionProtection=False)
    database.delete()
    inventory = clients.server._inventory.of(clients.server)
    assert inventory["rds/database_snapshots"] == ["mlflow-last"]
    again = instance(clients, place, skipFinalSnapshot=False, finalSnapshotIdentifier="mlflow-last")
    with pytest.raises(CloudError, match="DBSnapshotAlreadyExists"):
        again.delete()
    again.update(skipFinalSnapshot=True, finalSnapshotIdentifier=None)
    again.delete()
    clients("rds").delete_db_snapshot(DBSnapshotIdentifier="mlflow-last")


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"engineVersion": "17.99"}, "engineVersion", "Cannot find version 17.99 for postgres"),
        ({"engineVersion": "9.6"}, "engineVersion", "Cannot find version 9.6 for postgres"),
        ({"instanceClass": "db.t4g.nano"}, "instanceClass", "DBInstanceClass=db.t4g.nano, Engine=postgres"),
        ({"instanceClass": "t4g.micro"}, "instanceClass", "RDS does not support creating a DB instance"),
        ({"allocatedStorage": 10}, "allocatedStorage", "Invalid storage size for engine name postgres"),
        ({"maxAllocatedStorage": 21}, "maxAllocatedStorage", "at least 10% more than 20 GiB"),
        ({"iops": 3000}, "allocatedStorage", "a storage size less than 400"),
        ({"backupRetentionPeriod": 36}, "backupRetentionPeriod", "between 0 and 35"),
        ({"dbSubnetGroupName": "none"}, "dbSubnetGroupName", "DB subnet group 'none' does not exist"),
        ({"parameterGroupName": "none"}, "parameterGroupName", "DBParameterGroup not found: none"),
        ({"parameterGroupName": "pg16"}, "parameterGroupName", "use a parameter group with .* postgres17"),
        ({"vpcSecurityGroupIds": ["sg-0"]}, "vpcSecurityGroupIds", "Invalid security group , groupId= sg-0"),
        ({"vpcSecurityGroupIds": ["{other_group}"]}, "vpcSecurityGroupIds", "are in different VPCs"),
        ({"kmsKeyId": "arn:aws:kms:us-west-2:1:key/none"}, "kmsKeyId", "does not exist, is not enabled"),
        ({"storageEncrypted": False}, "storageEncrypted", "only when StorageEncrypted is set to true"),
        ({"username": "admin"}, "username", "reserved word used by the engine"),
        (
            {"manageMasterUserPassword": None, "masterUserSecretKmsKeyId": None},
            "password",
            "must be provided",
        ),
        ({"caCertIdentifier": "rds-ca-2019"}, "caCertIdentifier", "Certificate not found: rds-ca-2019"),
        ({"enabledCloudwatchLogsExports": ["audit"]}, "enabledCloudwatchLogsExports", "log types 'audit'"),
        ({"performanceInsightsRetentionPeriod": 8}, "performanceInsightsRetentionPeriod", "7, 731, n \\* 31"),
        ({"monitoringInterval": 60}, "monitoringRoleArn", "A MonitoringRoleARN value is required"),
        ({"publiclyAccessible": True}, "publiclyAccessible", "has no internet gateway"),
        ({"multiAz": True, "availabilityZone": "us-west-2a"}, "availabilityZone", "not valid for Multi-AZ"),
        ({"identifier": "ml--flow"}, "identifier", "Identifiers must begin with a letter"),
    ],
)
def test_what_rds_refuses_is_refused_with_its_property(
    clients: Clients, place: dict[str, Any], change: Any, path: str, words: str
) -> None:
    changes = {
        name: [place["other_group"]] if value == ["{other_group}"] else value
        for name, value in change.items()
    }
    with pytest.raises(CloudError, match=words) as error:
        instance(clients, place, **changes)
    assert error.value.path == path
    assert "rds/databases" not in clients.server._inventory.of(clients.server), "nothing is left"


def test_what_the_provider_refuses_is_reported_by_check(clients: Clients, place: dict[str, Any]) -> None:
    why = refused(clients.context(), INSTANCE, **inputs(place, password="x", finalSnapshotIdentifier="1st"))
    assert "conflicts with password" in why["password"]
    assert "must begin with" in why["finalSnapshotIdentifier"]
    assert "engine" in refused(clients.context(), INSTANCE, **inputs(place, engine=None))
    group = {"name": "Db", "subnetIds": place["subnets"]}
    assert "lowercase" in refused(clients.context(), SUBNETS, **group)["name"]


def test_a_subnet_group_covers_two_zones_and_goes_after_its_instances(
    clients: Clients, place: dict[str, Any]
) -> None:
    with pytest.raises(CloudError, match="Add subnets to cover at least 2 AZs") as error:
        make(clients.context(), SUBNETS, name="one", subnetIds=place["subnets"][:1])
    assert error.value.path == "subnetIds"
    with pytest.raises(CloudError, match="DBSubnetGroupAlreadyExists"):
        make(clients.context(), SUBNETS, name="db", subnetIds=place["subnets"])
    two = make(clients.context(), SUBNETS, name="two", subnetIds=place["subnets"], tags={"a": "b"})
    assert two.outputs["vpcId"] == place["vpc"]
    assert two.update(description="changed", tags={"a": "c"})["description"] == "changed"
    database = instance(clients, place, dbSubnetGroupName="two")
    rds = clients("rds")
    with pytest.raises(rds.exceptions.InvalidDBSubnetGroupStateFault, match="is still using it"):
        rds.delete_db_subnet_group(DBSubnetGroupName="two")
    database.delete()
    two.delete()
    assert two.read() is None


def test_a_parameter_group_keeps_its_parameters(clients: Clients, place: dict[str, Any]) -> None:
    force = {"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"}
    slow = {"name": "log_min_duration_statement", "value": "500", "applyMethod": "immediate"}
    parameter_group = make(
        clients.context(), PARAMETERS, name="tls", family="postgres17", parameters=[force, slow]
    )
    assert parameter_group.outputs["parameters"] == [force, slow]
    assert parameter_group.update(parameters=[{**force, "value": "0"}])["parameters"] == [
        {**force, "value": "0"}
    ]
    with pytest.raises(CloudError, match="postgres99 is not a valid parameter group family") as error:
        make(clients.context(), PARAMETERS, name="none", family="postgres99")
    assert error.value.path == "family"
    parameter_group.delete()


def test_a_killed_front_remembers_the_database_and_its_secret(
    clients: Clients, place: dict[str, Any]
) -> None:
    from twin.aws.api_server.server import ApiServer

    database = instance(clients, place)
    secret = database.outputs["masterUserSecrets"][0]["secretArn"]
    before = clients("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    twin = clients.server.instance
    clients.server.close()
    clients.server.moto.forget()
    clients.server = ApiServer(twin)
    assert clients.server.replayed.renamed == []
    assert database.read() == database.outputs
    assert clients("secretsmanager").get_secret_value(SecretId=secret)["SecretString"] == before
    database.delete()
