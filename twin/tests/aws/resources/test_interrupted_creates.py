"""A create that fails after its first call: what is left is known, shown, repaired and destroyed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

import pytest
from botocore.exceptions import ClientError

from twin.aws.context import AwsContext
from twin.aws.provider import AwsCloud
from twin.aws.resources.base import AwsResource
from twin.aws.resources.table import table
from twin.property_values import Archive, Asset
from twin.provider_interface import Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources import lake
from twin.tests.aws.resources.life import make
from twin.tests.interrupted import Calls, Trial

READS = ("Describe", "Get", "List", "Head", "BatchGet", "Search")
OWN = ("create", "make", "_complete", "after_create")


def several_calls() -> list[str]:
    """The types whose create may change the cloud by more than one call."""
    return sorted(
        token
        for token, kind in table().items()
        if any(getattr(type(kind), name) is not getattr(AwsResource, name) for name in OWN)
        or any(update.after_create for update in kind.updates)
    )


class Place:
    """What the cases name: made once, when a case asks for it."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self._numbers = itertools.count(1)
        self._fresh: list[tuple[str, str]] = []

    @property
    def number(self) -> int:
        """Another one at each attempt."""
        return next(self._numbers)

    @property
    def name(self) -> str:
        """A name that no other attempt has."""
        return f"case-{self.number}"

    @property
    def account(self) -> str:
        return self.clients.server.instance.account

    @cached_property
    def vpc(self) -> str:
        return self.clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    @cached_property
    def subnets(self) -> list[str]:
        create = self.clients("ec2").create_subnet
        ranges = {"us-west-2a": "10.0.0.0/24", "us-west-2b": "10.0.1.0/24"}
        return [
            create(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for zone, cidr in ranges.items()
        ]

    @property
    def fresh_vpc(self) -> str:
        """Another one at each attempt, with a gateway; the one before is deleted."""
        ec2 = self.clients("ec2")
        for vpc, gateway in self._fresh:
            ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
            ec2.delete_internet_gateway(InternetGatewayId=gateway)
            ec2.delete_vpc(VpcId=vpc)
        vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self._fresh = [(vpc, gateway)]
        return vpc

    @cached_property
    def bare_vpc(self) -> str:
        """One without a gateway."""
        return self.clients("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]

    @cached_property
    def gateway(self) -> str:
        internet_gateway_id = self.clients("ec2").create_internet_gateway()["InternetGateway"][
            "InternetGatewayId"
        ]
        self.clients("ec2").attach_internet_gateway(InternetGatewayId=internet_gateway_id, VpcId=self.vpc)
        return internet_gateway_id

    @cached_property
    def interface(self) -> str:
        network_interface = self.clients("ec2").create_network_interface(SubnetId=self.subnets[0])
        return network_interface["NetworkInterface"]["NetworkInterfaceId"]

    @cached_property
    def group(self) -> str:
        security_group = self.clients("ec2").create_security_group(
            GroupName="g", Description="d", VpcId=self.vpc
        )
        return security_group["GroupId"]

    @cached_property
    def key(self) -> str:
        return self.clients("kms").create_key()["KeyMetadata"]["Arn"]

    @cached_property
    def bucket(self) -> str:
        make(self.clients.context(), lake.BUCKET, bucket="interrupted-things")
        return "interrupted-things"

    @cached_property
    def database(self) -> str:
        lake.administer(self.clients)
        make(self.clients.context(), lake.DATABASE, name="interrupted")
        self.clients("glue").create_table(DatabaseName="interrupted", TableInput={"Name": "events"})
        return "interrupted"

    @cached_property
    def job(self) -> str:
        command = {"Name": "glueetl", "ScriptLocation": "s3://b/x.py", "PythonVersion": "3"}
        params = {"Role": self.role("glue"), "Command": command, "GlueVersion": "5.1"}
        self.clients("glue").create_job(Name="interrupted", **params, NumberOfWorkers=2, WorkerType="G.1X")
        return "interrupted"

    @cached_property
    def tag(self) -> str:
        _ = self.database
        self.clients("lakeformation").create_lf_tag(TagKey="interrupted", TagValues=["yes"])
        return "interrupted"

    @cached_property
    def table_bucket(self) -> str:
        arn = self.clients("s3tables").create_table_bucket(name="interrupted-tables")["arn"]
        self.clients("s3tables").create_namespace(tableBucketARN=arn, namespace=["raw"])
        return arn

    def role(self, service: str) -> str:
        """The arn of a role that the service may assume, with all rights that the cases need."""
        return self._roles(service)

    @cached_property
    def _roles(self) -> Callable[[str], str]:
        may = {"Effect": "Allow", "Action": ["glue:*", "ec2:*", "logs:*"], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [may]})

        @cache
        def role_of(service: str) -> str:
            arn = lake.role(self.clients, f"interrupted-{service}", f"{service}.amazonaws.com")
            params = {"RoleName": f"interrupted-{service}", "PolicyName": "may", "PolicyDocument": document}
            self.clients("iam").put_role_policy(**params)
            return arn

        return role_of


def _policy(action: str, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


def _subnet(place: Place) -> Props:
    return {
        "vpcId": place.vpc,
        "cidrBlock": "10.0.128.0/20",
        "availabilityZone": "us-west-2a",
        "mapPublicIpOnLaunch": True,
        "assignIpv6AddressOnCreation": False,
        "enableResourceNameDnsARecordOnLaunch": True,
        "privateDnsHostnameTypeOnLaunch": "resource-name",
        "tags": {"a": "b"},
    }


def _role(place: Place) -> Props:
    return {
        "name": place.name,
        "assumeRolePolicy": _policy("sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"}),
        "managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "inlinePolicies": [{"name": "own", "policy": _policy("s3:ListBucket", Resource="*")}],
    }


def _security_group(place: Place) -> Props:
    def rule(port: int) -> Props:
        return {"fromPort": port, "toPort": port, "protocol": "tcp", "cidrBlocks": ["10.0.0.0/8"]}

    group_inputs = {"name": place.name, "description": "d", "vpcId": place.vpc}
    return {**group_inputs, "ingress": [rule(443), rule(80)], "egress": [rule(443)]}


def _stream(place: Place) -> Props:
    sink = {"bucketArn": f"arn:aws:s3:::{place.bucket}", "roleArn": place.role("firehose")}
    destination = {
        "catalogArn": f"arn:aws:glue:us-west-2:{place.account}:catalog",
        "roleArn": place.role("firehose"),
        "appendOnly": True,
        "destinationTableConfigurations": [{"databaseName": place.database, "tableName": "events"}],
        "s3Configuration": sink,
    }
    return {
        "name": place.name,
        "destination": "iceberg",
        "icebergConfiguration": destination,
        "serverSideEncryption": {"enabled": True, "keyType": "CUSTOMER_MANAGED_CMK", "keyArn": place.key},
    }


def _table_of_dynamodb(place: Place) -> Props:
    return {
        "name": place.name,
        "attributes": [{"name": "id", "type": "S"}],
        "hashKey": "id",
        "billingMode": "PAY_PER_REQUEST",
        "ttl": {"enabled": True, "attributeName": "until"},
        "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 7},
    }


def _table_of_s3(place: Place) -> Props:
    upkeep = {
        "icebergCompaction": {"status": "enabled", "settings": {"targetFileSizeMb": 256}},
        "icebergSnapshotManagement": {
            "status": "enabled",
            "settings": {"maxSnapshotAgeHours": 48, "minSnapshotsToKeep": 2},
        },
    }
    return {
        "tableBucketArn": place.table_bucket,
        "namespace": "raw",
        "name": f"case{place.number}",
        "format": "ICEBERG",
        "maintenanceConfiguration": upkeep,
    }


def _budget(place: Place) -> Props:
    def alert(kind: str) -> Props:
        return {
            "notificationType": kind,
            "comparisonOperator": "GREATER_THAN",
            "threshold": 100,
            "thresholdType": "PERCENTAGE",
            "subscriberEmailAddresses": ["costs@acme.example"],
        }

    return {
        "name": place.name,
        "budgetType": "COST",
        "timeUnit": "MONTHLY",
        "limitAmount": "100",
        "limitUnit": "USD",
        "notifications": [alert("ACTUAL"), alert("FORECASTED")],
    }


CASES: dict[str, Callable[[Place], Props]] = {
    "aws:athena/workgroup:Workgroup": lambda place: {"name": place.name, "state": "DISABLED"},
    "aws:budgets/budget:Budget": _budget,
    "aws:cloudwatch/logGroup:LogGroup": lambda place: {"name": place.name, "retentionInDays": 30},
    "aws:dynamodb/table:Table": _table_of_dynamodb,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": lambda place: {
        "vpcId": place.fresh_vpc,
        "ingress": [{"fromPort": 443, "toPort": 443, "protocol": "tcp", "cidrBlocks": ["10.0.0.0/8"]}],
        "tags": {"a": "b"},
    },
    "aws:ec2/eip:Eip": lambda place: {"domain": "vpc", "networkInterface": place.interface},
    "aws:ec2/internetGateway:InternetGateway": lambda place: {"vpcId": place.bare_vpc, "tags": {"a": "b"}},
    "aws:ec2/routeTable:RouteTable": lambda place: {
        "vpcId": place.vpc,
        "routes": [
            {"cidrBlock": "0.0.0.0/0", "gatewayId": place.gateway},
            {"cidrBlock": "192.168.0.0/16", "gatewayId": place.gateway},
        ],
    },
    "aws:ec2/securityGroup:SecurityGroup": _security_group,
    "aws:ec2/securityGroup:SecurityGroup without rules": lambda place: {
        "name": place.name,
        "description": "d",
        "vpcId": place.vpc,
    },
    "aws:ec2/subnet:Subnet": _subnet,
    "aws:ec2/vpc:Vpc": lambda _: {
        "cidrBlock": "10.1.0.0/16",
        "enableDnsHostnames": True,
        "enableNetworkAddressUsageMetrics": True,
        "tags": {"a": "b"},
    },
    "aws:glue/trigger:Trigger": lambda place: {
        "name": place.name,
        "type": "SCHEDULED",
        "schedule": "cron(0 1 * * ? *)",
        "actions": [{"jobName": place.job}],
        "enabled": False,
    },
    "aws:iam/instanceProfile:InstanceProfile": lambda place: {
        "name": place.name,
        "role": place.role("ec2").rpartition("/")[2],
    },
    "aws:iam/role:Role": _role,
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": _stream,
    "aws:kms/key:Key": lambda _: {"enableKeyRotation": True, "rotationPeriodInDays": 100, "isEnabled": False},
    "aws:lambda/function:Function": lambda place: {
        "name": place.name,
        "role": place.role("lambda"),
        "runtime": "python3.13",
        "handler": "a.b",
        "code": Archive(assets={"a.py": Asset(text="")}, hash="1"),
        "reservedConcurrentExecutions": 2,
    },
    "aws:rds/parameterGroup:ParameterGroup": lambda place: {
        "name": place.name,
        "family": "postgres17",
        "parameters": [{"name": "log_min_duration_statement", "value": "500"}],
    },
    "aws:s3/bucket:Bucket": lambda place: {"bucket": place.name, "tags": {"a": "b"}},
    "aws:s3/bucketObjectv2:BucketObjectv2": lambda place: {
        "bucket": place.bucket,
        "key": place.name,
        "content": "x",
        "tags": {"a": "b"},
    },
    "aws:s3tables/table:Table": _table_of_s3,
    "aws:s3tables/tableBucket:TableBucket": lambda place: {
        "name": place.name,
        "maintenanceConfiguration": {
            "icebergUnreferencedFileRemoval": {
                "status": "enabled",
                "settings": {"unreferencedDays": 7, "nonCurrentDays": 30},
            }
        },
    },
    "aws:secretsmanager/secret:Secret": lambda place: {
        "name": place.name,
        "recoveryWindowInDays": 0,
        "policy": _policy(
            "secretsmanager:GetSecretValue", Principal={"AWS": place.role("ec2")}, Resource="*"
        ),
    },
    "aws:ssm/parameter:Parameter": lambda place: {
        "name": f"/{place.name}",
        "type": "String",
        "value": "v",
        "overwrite": True,
        "tags": {"a": "b"},
    },
}
ONE_WRITE = {
    "aws:autoscaling/tag:Tag": "it looks for the group first",
    "aws:codebuild/project:Project": "the second is for public projects, which the twin refuses",
    "aws:codebuild/webhook:Webhook": "only the create's answer has the secret",
    "aws:dms/replicationConfig:ReplicationConfig": "`services/one_account/test_dms.py` starts one",
    "aws:ec2/flowLog:FlowLog": "it reads the answer's own failures",
    "aws:lakeformation/resourceLfTag:ResourceLfTag": "it reads the answer's own failures",
    "aws:lakeformation/resourceLfTags:ResourceLfTags": "it reads the answer's own failures",
    "aws:lambda/invocation:Invocation": "the call is all of it",
}
"""Types that override a part of the create and write by one call all the same."""


@pytest.fixture(scope="module")
def place(clients: Clients) -> Place:
    return Place(clients)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    def refusal(name: str) -> Exception:
        error: Any = {
            "Error": {"Code": "InternalFailure", "Message": "An internal error has occurred"},
            "ResponseMetadata": {"HTTPStatusCode": 500, "RequestId": ""},
        }
        return ClientError(error, name)

    counted = Calls(lambda _, operation, *__: not operation.startswith(READS), refusal)
    monkeypatch.setattr(AwsContext, "call", counted.patched(AwsContext.call))
    return counted


def test_every_type_that_writes_by_several_calls_has_a_case() -> None:
    missing = set(several_calls()) - {_token(case) for case in CASES} - ONE_WRITE.keys()
    assert not missing, f"add a case with inputs that need all calls for {sorted(missing)}"
    gone = ONE_WRITE.keys() - set(several_calls())
    assert not gone, f"{sorted(gone)} are ordinary creates now"


@pytest.mark.end_to_end  # no engine, but 15 s: too long for the unit tier
@pytest.mark.parametrize("case", CASES)
def test_a_create_that_fails_midway_is_repaired_or_destroyed(case: str, place: Place, calls: Calls) -> None:
    server = place.clients.server
    Trial(
        cloud=AwsCloud(),
        context=place.clients.context(),
        calls=calls,
        inventory=lambda: server._inventory.of(server),
        token=_token(case),
        inputs=lambda: CASES[case](place),
    ).run()


def _token(case: str) -> str:
    return case.partition(" ")[0]
