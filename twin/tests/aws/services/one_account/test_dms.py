"""DMS through the API server: from a database's changes to files in a bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.provider_interface import CloudError, Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.lake import BUCKET, role
from twin.tests.aws.resources.life import Made, make, refused

SUBNETS = "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup"
CERTIFICATE = "aws:dms/certificate:Certificate"
ENDPOINT = "aws:dms/endpoint:Endpoint"
S3 = "aws:dms/s3Endpoint:S3Endpoint"
CONFIG = "aws:dms/replicationConfig:ReplicationConfig"
TABLES = json.dumps(
    {
        "rules": [
            {
                "rule-type": "selection",
                "rule-id": "1",
                "rule-name": "1",
                "object-locator": {"schema-name": "public", "table-name": "%"},
                "rule-action": "include",
            }
        ]
    }
)


@pytest.fixture(scope="module")
def place(clients: Clients, key: str) -> dict[str, Any]:
    """A network, a bucket, a key, a secret and roles; the subnet group needs the account's own role."""
    ec2, context = clients("ec2"), clients.context()
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"us-west-2{zone}")[
            "Subnet"
        ]["SubnetId"]
        for i, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="dms", Description="d", VpcId=vpc)["GroupId"]
    arguments = {"replicationSubnetGroupId": "captures", "replicationSubnetGroupDescription": "d"}
    with pytest.raises(CloudError, match=r"dms-vpc-role is not configured properly"):
        make(context, SUBNETS, **arguments, subnetIds=subnets)
    role(clients, "dms-vpc-role", "dms.amazonaws.com")
    with pytest.raises(CloudError, match="cover at least 2 AZs") as error:
        make(context, SUBNETS, **arguments, subnetIds=subnets[:1])
    assert error.value.path == "subnetIds"
    make(context, SUBNETS, **arguments, subnetIds=subnets, tags={"a": "b"})
    make(context, BUCKET, bucket="captures-123")
    secret = clients("secretsmanager").create_secret(Name="orders", SecretString="{}")["ARN"]
    return {
        "group": group,
        "secret": secret,
        "reader": role(clients, "reader", "dms.us-west-2.amazonaws.com"),
        "writer": role(clients, "writer", "dms.amazonaws.com"),
        "key": key,
    }


def source(clients: Clients, place: dict[str, Any], **more: Any) -> Made:
    arguments: Props = {
        "endpointId": "orders-source",
        "endpointType": "source",
        "engineName": "postgres",
        "databaseName": "orders",
        "secretsManagerArn": place["secret"],
        "secretsManagerAccessRoleArn": place["reader"],
        "sslMode": "require",
        "kmsKeyArn": place["key"],
        **more,
    }
    return make(clients.context(), ENDPOINT, **arguments)


def target(clients: Clients, place: dict[str, Any], **more: Any) -> Made:
    arguments: Props = {
        "endpointId": "orders-target",
        "endpointType": "target",
        "bucketName": "captures-123",
        "bucketFolder": "files/orders",
        "serviceAccessRoleArn": place["writer"],
        "encryptionMode": "SSE_KMS",
        "serverSideEncryptionKmsKeyId": place["key"],
        "dataFormat": "parquet",
        "compressionType": "GZIP",
        "includeOpForFullLoad": True,
        **more,
    }
    return make(clients.context(), S3, **{k: v for k, v in arguments.items() if v is not None})


def test_a_replication_runs_is_changed_and_goes(clients: Clients, place: dict[str, Any]) -> None:
    read, written = source(clients, place, tags={"a": "b"}), target(clients, place)
    assert read.outputs["secretsManagerArn"] == place["secret"]
    assert read.outputs["databaseName"] == "orders"
    assert (written.outputs["encryptionMode"], written.outputs["compressionType"]) == ("SSE_KMS", "GZIP")
    assert written.update(cdcMaxBatchInterval=60)["cdcMaxBatchInterval"] == 60
    compute = {
        "replicationSubnetGroupId": "captures",
        "minCapacityUnits": 1,
        "maxCapacityUnits": 2,
        "vpcSecurityGroupIds": [place["group"]],
        "kmsKeyId": place["key"],
    }
    arguments: Props = {
        "replicationConfigIdentifier": "orders",
        "resourceIdentifier": "orders",
        "replicationType": "full-load-and-cdc",
        "sourceEndpointArn": read.outputs["endpointArn"],
        "targetEndpointArn": written.outputs["endpointArn"],
        "tableMappings": TABLES,
        "computeConfig": compute,
        "startReplication": True,
    }
    for change, path, words in (
        (
            {"computeConfig": {**compute, "maxCapacityUnits": 3}},
            "computeConfig.maxCapacityUnits",
            "one of 1, 2",
        ),
        ({"sourceEndpointArn": written.outputs["endpointArn"]}, "", "is no source endpoint"),
        ({"tableMappings": '{"rules": []}'}, "tableMappings", "at least one selection rule"),
        (
            {"computeConfig": {**compute, "vpcSecurityGroupIds": ["sg-0"]}},
            "computeConfig.vpcSecurityGroupIds",
            "sg-0 does not exist",
        ),
    ):
        with pytest.raises(CloudError, match=words) as error:
            make(clients.context(), CONFIG, **{**arguments, **change})
        assert error.value.path == path
    config = make(clients.context(), CONFIG, **arguments, tags={"team": "ml"})
    dms = clients("dms")
    assert config.outputs["arn"].endswith(":replication-config:orders")
    assert dms.describe_replications()["Replications"][0]["Status"] == "running"
    changed = config.update(computeConfig={**compute, "maxCapacityUnits": 4})
    assert changed["computeConfig"]["maxCapacityUnits"] == 4
    assert dms.describe_replications()["Replications"][0]["Status"] == "running", "it goes on"
    dms.stop_replication(ReplicationConfigArn=config.id)
    state = config.read()
    assert state is not None
    assert state["startReplication"] is False, "a refresh sees it"
    with pytest.raises(dms.exceptions.InvalidResourceStateFault, match="is part of orders"):
        dms.delete_endpoint(EndpointArn=read.outputs["endpointArn"])
    for resource in (config, read, written):
        resource.delete()
        assert resource.read() is None
    left = clients.server._inventory.of(clients.server)
    assert left["dms/replication_subnet_groups"] == ["captures"]
    assert not {"dms/serverless_endpoints", "dms/replication_configs"} & set(left)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (
            {"secretsManagerAccessRoleArn": "{writer}"},
            "secretsManagerAccessRoleArn",
            "not configured properly",
        ),
        ({"secretsManagerArn": "none"}, "secretsManagerArn", "Secret none not found"),
        ({"sslMode": "verify-full"}, "sslMode", "requires a certificate"),
        ({"certificateArn": "arn:aws:dms:us-west-2:1:cert:NONE"}, "certificateArn", "NONE not found"),
        ({"endpointId": "a--b"}, "endpointId", "two consecutive hyphens"),
    ],
)
def test_what_dms_refuses_of_a_source(
    clients: Clients, place: dict[str, Any], change: Any, path: str, words: str
) -> None:
    changes = {name: place.get(value.strip("{}"), value) for name, value in change.items()}
    with pytest.raises(CloudError, match=words) as error:
        source(clients, place, **changes)
    assert error.value.path == path


def test_what_dms_refuses_of_a_bucket_and_of_a_certificate(clients: Clients, place: dict[str, Any]) -> None:
    for change, path, words in (
        ({"bucketName": "none-123"}, "bucketName", "none-123 does not exist"),
        ({"serviceAccessRoleArn": place["reader"]}, "serviceAccessRoleArn", "not configured properly"),
        ({"serverSideEncryptionKmsKeyId": None}, "serverSideEncryptionKmsKeyId", "goes with the encryption"),
    ):
        with pytest.raises(CloudError, match=words) as error:
            target(clients, place, **change)
        assert error.value.path == path
    with pytest.raises(CloudError, match="is not valid PEM") as error:
        make(clients.context(), CERTIFICATE, certificateId="ca", certificatePem="no certificate")
    assert error.value.path == "certificatePem"
    reasons = refused(clients.context(), ENDPOINT, endpointId="x", endpointType="source", engineName="oracle")
    assert "alone" in reasons["engineName"]
