"""What AWS refuses, the API server refuses with the same code; what it accepts, the API server accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.validation.conftest import TRUST, document, filled, refused


def rule(**more: Any) -> dict[str, Any]:
    """An ingress rule."""
    return {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}], **more}


REFUSED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("ec2", "create_vpc", "InvalidVpc.Range", {"CidrBlock": "10.0.0.0/8"}),
    ("ec2", "create_vpc", "InvalidParameterValue", {"CidrBlock": "10.0.0.300/16"}),
    (
        "ec2",
        "create_subnet",
        "InvalidVpcID.NotFound",
        {"VpcId": "vpc-0123456789abcdef0", "CidrBlock": "10.0.1.0/24"},
    ),
    ("ec2", "create_subnet", "InvalidSubnet.Range", {"VpcId": "{vpc}", "CidrBlock": "10.1.0.0/24"}),
    ("ec2", "create_subnet", "InvalidSubnet.Range", {"VpcId": "{vpc}", "CidrBlock": "10.0.4.0/29"}),
    ("ec2", "create_subnet", "InvalidSubnet.Conflict", {"VpcId": "{vpc}", "CidrBlock": "10.0.0.128/25"}),
    (
        "ec2",
        "create_subnet",
        "InvalidParameterValue",
        {"VpcId": "{vpc}", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-west-2z"},
    ),
    (
        "ec2",
        "create_subnet",
        "InvalidParameterValue",
        {
            "VpcId": "{vpc}",
            "CidrBlock": "10.0.1.0/24",
            "TagSpecifications": [{"ResourceType": "subnet", "Tags": [{"Key": "aws:x", "Value": "1"}]}],
        },
    ),
    (
        "ec2",
        "create_security_group",
        "InvalidGroup.Duplicate",
        {"GroupName": "one", "Description": "d", "VpcId": "{vpc}"},
    ),
    (
        "ec2",
        "create_security_group",
        "InvalidVpcID.NotFound",
        {"GroupName": "n", "Description": "d", "VpcId": "vpc-0123456789abcdef0"},
    ),
    (
        "ec2",
        "create_security_group",
        "InvalidParameterValue",
        {"GroupName": "sg-mine", "Description": "d", "VpcId": "{vpc}"},
    ),
    (
        "ec2",
        "authorize_security_group_ingress",
        "InvalidParameterValue",
        {"GroupId": "{group}", "IpPermissions": [rule(FromPort=90)]},
    ),
    (
        "ec2",
        "authorize_security_group_ingress",
        "InvalidParameterValue",
        {"GroupId": "{group}", "IpPermissions": [rule(ToPort=70000)]},
    ),
    (
        "ec2",
        "authorize_security_group_ingress",
        "InvalidParameterValue",
        {"GroupId": "{group}", "IpPermissions": [rule(IpRanges=[{"CidrIp": "10.0.0.0/33"}])]},
    ),
    (
        "ec2",
        "authorize_security_group_ingress",
        "InvalidGroup.NotFound",
        {"GroupId": "sg-0123456789abcdef0", "IpPermissions": [rule()]},
    ),
    (
        "ec2",
        "authorize_security_group_ingress",
        "InvalidGroup.NotFound",
        {
            "GroupId": "{group}",
            "IpPermissions": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": 1,
                    "ToPort": 1,
                    "UserIdGroupPairs": [{"GroupId": "sg-0123456789abcdef0"}],
                }
            ],
        },
    ),
    (
        "ec2",
        "authorize_security_group_ingress",
        "InvalidPermission.Duplicate",
        {
            "GroupId": "{group}",
            "IpPermissions": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "UserIdGroupPairs": [{"GroupId": "{used}"}],
                }
            ],
        },
    ),
    ("ec2", "delete_security_group", "DependencyViolation", {"GroupId": "{used}"}),
    ("ec2", "delete_vpc", "DependencyViolation", {"VpcId": "{vpc}"}),
    ("ec2", "delete_internet_gateway", "DependencyViolation", {"InternetGatewayId": "{gateway}"}),
    (
        "ec2",
        "attach_internet_gateway",
        "Resource.AlreadyAssociated",
        {"InternetGatewayId": "{gateway}", "VpcId": "{other}"},
    ),
    (
        "ec2",
        "attach_internet_gateway",
        "InvalidParameterValue",
        {"InternetGatewayId": "{spare}", "VpcId": "{vpc}"},
    ),
    (
        "ec2",
        "create_nat_gateway",
        "InvalidAllocationID.NotFound",
        {"SubnetId": "{subnet}", "AllocationId": "eipalloc-0123456789abcdef0"},
    ),
    (
        "ec2",
        "create_nat_gateway",
        "InvalidSubnetID.NotFound",
        {"SubnetId": "subnet-0123456789abcdef0", "ConnectivityType": "private"},
    ),
    ("ec2", "create_nat_gateway", "MissingParameter", {"SubnetId": "{subnet}"}),
    (
        "ec2",
        "create_vpc_endpoint",
        "InvalidServiceName",
        {"VpcId": "{vpc}", "ServiceName": "com.amazonaws.us-west-2.nothing"},
    ),
    (
        "ec2",
        "create_vpc_endpoint",
        "InvalidServiceName",
        {"VpcId": "{vpc}", "ServiceName": "com.amazonaws.eu-west-1.s3"},
    ),
    (
        "ec2",
        "create_vpc_endpoint",
        "InvalidSubnetID.NotFound",
        {
            "VpcId": "{vpc}",
            "ServiceName": "com.amazonaws.us-west-2.sts",
            "VpcEndpointType": "Interface",
            "SubnetIds": ["subnet-0123456789abcdef0"],
        },
    ),
    (
        "ec2",
        "create_flow_logs",
        "InvalidParameterValue",
        {"ResourceIds": ["{vpc}"], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "/there"},
    ),
    ("ec2", "create_route_table", "InvalidVpcID.NotFound", {"VpcId": "vpc-0123456789abcdef0"}),
    (
        "ec2",
        "create_launch_template",
        "InvalidLaunchTemplateName.AlreadyExistsException",
        {"LaunchTemplateName": "there", "LaunchTemplateData": {"InstanceType": "m5.large"}},
    ),
    (
        "ec2",
        "create_launch_template",
        "InvalidParameterValue",
        {"LaunchTemplateName": "new", "LaunchTemplateData": {"InstanceType": "m5.gigantic"}},
    ),
    (
        "ec2",
        "create_launch_template",
        "InvalidAMIID.NotFound",
        {"LaunchTemplateName": "new", "LaunchTemplateData": {"ImageId": "ami-0123456789abcdef0"}},
    ),
    (
        "ec2",
        "create_launch_template",
        "InvalidParameterValue",
        {"LaunchTemplateName": "a", "LaunchTemplateData": {"InstanceType": "m5.large"}},
    ),
    (
        "ec2",
        "create_placement_group",
        "InvalidPlacementGroup.Duplicate",
        {"GroupName": "there", "Strategy": "cluster"},
    ),
    ("ec2", "create_placement_group", "InvalidParameterValue", {"GroupName": "new", "Strategy": "close"}),
    (
        "ec2",
        "create_placement_group",
        "InvalidParameterCombination",
        {"GroupName": "new", "Strategy": "cluster", "PartitionCount": 3},
    ),
    ("ec2", "delete_placement_group", "InvalidPlacementGroup.Unknown", {"GroupName": "nothing"}),
    (
        "ec2",
        "run_instances",
        "InvalidAMIID.NotFound",
        {"ImageId": "ami-0123456789abcdef0", "MinCount": 1, "MaxCount": 1, "InstanceType": "m5.large"},
    ),
    (
        "ec2",
        "create_tags",
        "InvalidID",
        {"Resources": ["vpc-0123456789abcdef0"], "Tags": [{"Key": "a", "Value": "b"}]},
    ),
    ("iam", "create_role", "EntityAlreadyExists", {"RoleName": "there", "AssumeRolePolicyDocument": TRUST}),
    ("iam", "create_role", "ValidationError", {"RoleName": "r" * 65, "AssumeRolePolicyDocument": TRUST}),
    ("iam", "create_role", "MalformedPolicyDocument", {"RoleName": "new", "AssumeRolePolicyDocument": "{"}),
    (
        "iam",
        "create_role",
        "MalformedPolicyDocument",
        {"RoleName": "new", "AssumeRolePolicyDocument": document(Resource=None, Action="sts:AssumeRole")},
    ),
    (
        "iam",
        "create_role",
        "MalformedPolicyDocument",
        {
            "RoleName": "new",
            "AssumeRolePolicyDocument": document(
                Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole"
            ),
        },
    ),
    (
        "iam",
        "create_role",
        "MalformedPolicyDocument",
        {
            "RoleName": "new",
            "AssumeRolePolicyDocument": document(
                Resource=None, Principal={"Service": "nothing"}, Action="sts:AssumeRole"
            ),
        },
    ),
    (
        "iam",
        "create_role",
        "MalformedPolicyDocument",
        {
            "RoleName": "new",
            "AssumeRolePolicyDocument": document(
                Resource=None,
                Principal={"AWS": "arn:aws:iam::123456789012:role/absent"},
                Action="sts:AssumeRole",
            ),
        },
    ),
    ("iam", "create_policy", "EntityAlreadyExists", {"PolicyName": "there", "PolicyDocument": document()}),
    ("iam", "create_policy", "MalformedPolicyDocument", {"PolicyName": "new", "PolicyDocument": "not json"}),
    (
        "iam",
        "create_policy",
        "MalformedPolicyDocument",
        {"PolicyName": "new", "PolicyDocument": document(Action="GetObject")},
    ),
    (
        "iam",
        "create_policy",
        "MalformedPolicyDocument",
        {"PolicyName": "new", "PolicyDocument": document(Action="s33:GetObject")},
    ),
    (
        "iam",
        "create_policy",
        "MalformedPolicyDocument",
        {"PolicyName": "new", "PolicyDocument": document(Effect=None)},
    ),
    (
        "iam",
        "create_policy",
        "MalformedPolicyDocument",
        {"PolicyName": "new", "PolicyDocument": document(Principal="*")},
    ),
    (
        "iam",
        "create_policy",
        "MalformedPolicyDocument",
        {"PolicyName": "new", "PolicyDocument": json.dumps({"Version": "2012-10-17"})},
    ),
    (
        "iam",
        "put_role_policy",
        "NoSuchEntity",
        {"RoleName": "absent", "PolicyName": "p", "PolicyDocument": document()},
    ),
    (
        "iam",
        "put_role_policy",
        "MalformedPolicyDocument",
        {"RoleName": "there", "PolicyName": "p", "PolicyDocument": document(Action=["ec3:Run"])},
    ),
    (
        "iam",
        "attach_role_policy",
        "NoSuchEntity",
        {"RoleName": "there", "PolicyArn": "arn:aws:iam::aws:policy/Nothing"},
    ),
    ("iam", "delete_role", "DeleteConflict", {"RoleName": "there"}),
    ("iam", "delete_policy", "DeleteConflict", {"PolicyArn": "{policy}"}),
    ("iam", "create_open_id_connect_provider", "InvalidInput", {"Url": "http://oidc.example.com"}),
    ("iam", "tag_role", "InvalidInput", {"RoleName": "there", "Tags": [{"Key": "aws:x", "Value": "1"}]}),
    ("logs", "create_log_group", "ResourceAlreadyExistsException", {"logGroupName": "/there"}),
    (
        "logs",
        "put_retention_policy",
        "InvalidParameterException",
        {"logGroupName": "/there", "retentionInDays": 31},
    ),
    (
        "logs",
        "create_log_group",
        "InvalidParameterException",
        {"logGroupName": "/new", "kmsKeyId": "arn:aws:kms:us-west-2:123456789012:key/nothing"},
    ),
    ("kms", "create_alias", "AlreadyExistsException", {"AliasName": "alias/there", "TargetKeyId": "{key}"}),
    (
        "kms",
        "create_alias",
        "NotFoundException",
        {"AliasName": "alias/new", "TargetKeyId": "00000000-0000-0000-0000-000000000000"},
    ),
    (
        "kms",
        "create_alias",
        "NotAuthorizedException",
        {"AliasName": "alias/aws/mine", "TargetKeyId": "{key}"},
    ),
    ("kms", "create_key", "MalformedPolicyDocumentException", {"Policy": "{"}),
    (
        "kms",
        "create_key",
        "MalformedPolicyDocumentException",
        {"Policy": document(Action="kms:Decrypt", Principal={"AWS": "arn:aws:iam::123456789012:role/there"})},
    ),
    ("kms", "schedule_key_deletion", "ValidationException", {"KeyId": "{key}", "PendingWindowInDays": 3}),
]


@pytest.mark.parametrize(("service", "operation", "code", "params"), REFUSED)
def test_what_aws_refuses_is_refused_in_its_words(
    clients: Clients,
    instance: dict[str, str],
    service: str,
    operation: str,
    code: str,
    params: dict[str, Any],
) -> None:
    refused_code, why = refused(clients, service, operation, **filled(params, instance))
    assert refused_code == code, why


def test_a_refused_call_is_not_in_the_journal(clients: Clients, instance: dict[str, str]) -> None:
    before = len(clients.server.journal)
    with pytest.raises(ClientError):
        clients("ec2").create_subnet(VpcId=instance["vpc"], CidrBlock="10.1.0.0/24")
    assert len(clients.server.journal) == before


def test_an_access_key_that_was_never_issued_is_refused(clients: Clients) -> None:
    import boto3

    stranger = boto3.client(
        "iam",
        endpoint_url="http://127.0.0.1",
        region_name="us-west-2",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="x",
    )
    send: Any = clients._send  # pyright: ignore[reportPrivateUsage]
    stranger.meta.events.register("before-send", send)
    with pytest.raises(ClientError, match="security token included in the request is invalid"):
        stranger.list_roles()
