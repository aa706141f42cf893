"""What is in the account before something is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from twin.tests.aws.api_servers import Clients

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        ],
    }
)


def document(**statement: Any) -> str:
    """A policy of one statement."""
    full = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **statement}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{k: v for k, v in full.items() if v is not None}]}
    )


@pytest.fixture(scope="module")
def instance(clients: Clients) -> dict[str, str]:
    """A VPC with two subnets, two groups, a role and an attached policy."""
    ec2, iam = clients("ec2"), clients("iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-west-2a")
    group = ec2.create_security_group(GroupName="one", Description="one", VpcId=vpc)["GroupId"]
    used = ec2.create_security_group(GroupName="two", Description="two", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": used}]}
        ],
    )
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    spare = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    iam.create_role(RoleName="there", AssumeRolePolicyDocument=TRUST)
    policy = iam.create_policy(PolicyName="there", PolicyDocument=document())["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="there", PolicyArn=policy)
    clients("logs").create_log_group(logGroupName="/there")
    key = clients("kms").create_key()["KeyMetadata"]["KeyId"]
    clients("kms").create_alias(AliasName="alias/there", TargetKeyId=key)
    ec2.create_launch_template(LaunchTemplateName="there", LaunchTemplateData={"InstanceType": "m5.large"})
    ec2.create_placement_group(GroupName="there", Strategy="cluster")
    return {
        "vpc": vpc,
        "other": other,
        "subnet": subnet["Subnet"]["SubnetId"],
        "group": group,
        "used": used,
        "gateway": gateway,
        "spare": spare,
        "policy": policy,
        "key": key,
    }


def filled(value: Any, names: dict[str, str]) -> Any:
    """The parameters with `{vpc}` and such replaced."""
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("}") and value[1:-1] in names:
        return names[value[1:-1]]
    return value


def refused(clients: Clients, service: str, operation: str, **params: Any) -> tuple[str, str]:
    """The code and words of a call that AWS refuses."""
    with pytest.raises(ClientError) as caught:
        getattr(clients(service), operation)(**params)
    error: Any = caught.value.response["Error"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    assert error["Message"], "a refusal says why"
    return error["Code"], error["Message"]
