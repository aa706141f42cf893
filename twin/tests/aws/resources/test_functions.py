"""The AWS functions through a moto server."""

from __future__ import annotations

import json

import pytest

from twin.aws.context import AwsContext
from twin.aws.resources.function import table
from twin.checks.sdk import sdk
from twin.provider_interface import CloudError, Props
from twin.tests.aws.conftest import aws, moto_url
from twin.tests.aws.resources.life import make

__all__ = ["aws", "moto_url"]


def ask(context: AwsContext, token: str, **arguments: object) -> Props:
    """Answer a function, and hold its results to the SDK's."""
    answer = table()[token].invoke(context, arguments)
    schema = sdk("pulumi_aws").function(token)
    assert schema is not None, f"the SDK has no {token}"
    assert set(answer) <= set(schema.result), f"{token} answers what the SDK's type does not have"
    return answer


def test_who_and_where(aws: AwsContext) -> None:
    caller = ask(aws, "aws:index/getCallerIdentity:getCallerIdentity")
    assert caller["accountId"] == aws.account
    assert ask(aws, "aws:index/getPartition:getPartition")["reverseDnsPrefix"] == "com.amazonaws"
    region = ask(aws, "aws:index/getRegion:getRegion")
    assert (region["name"], region["description"]) == ("us-west-2", "US West (Oregon)")


def test_zones_come_in_order_and_are_filtered(aws: AwsContext) -> None:
    token = "aws:index/getAvailabilityZones:getAvailabilityZones"
    zones = ask(aws, token, state="available", excludeNames=["us-west-2d"])
    assert zones["names"] == ["us-west-2a", "us-west-2b", "us-west-2c"]
    assert len(zones["zoneIds"]) == 3
    local = [{"name": "opt-in-status", "values": ["not-opted-in"]}]
    assert ask(aws, token, filters=local)["names"] == []


def test_instance_types_state_their_cards(aws: AwsContext) -> None:
    instance_type = ask(aws, "aws:ec2/getInstanceType:getInstanceType", instanceType="p5.48xlarge")
    assert instance_type["gpuses"][0]["count"] == 8
    assert instance_type["maximumNetworkCards"] == len(instance_type["networkCards"])
    offered = ask(
        aws,
        "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings",
        locationType="availability-zone-id",
        filters=[{"name": "instance-type", "values": ["p5.48xlarge"]}],
    )
    assert set(offered["instanceTypes"]) == {"p5.48xlarge"}
    with pytest.raises(CloudError, match="InvalidInstanceType"):
        ask(aws, "aws:ec2/getInstanceType:getInstanceType", instanceType="p99.huge")


def test_a_policy_document_is_rendered_as_the_provider_does(aws: AwsContext) -> None:
    token = "aws:iam/getPolicyDocument:getPolicyDocument"
    statements = [
        {
            "sid": "A",
            "actions": ["s3:GetObject", "s3:PutObject"],
            "resources": ["arn:aws:s3:::&{aws:username}/*"],
        },
        {
            "actions": ["sts:AssumeRole"],
            "principals": [{"type": "Service", "identifiers": ["eks.amazonaws.com"]}],
        },
    ]
    override = json.dumps({"Statement": [{"Sid": "A", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
    plain = json.loads(ask(aws, token, statements=statements)["json"])
    assert plain["Statement"][0] == {
        "Sid": "A",
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:GetObject"],
        "Resource": "arn:aws:s3:::${aws:username}/*",
    }
    changed = json.loads(
        ask(aws, token, statements=statements, overridePolicyDocuments=[override])["minifiedJson"]
    )
    assert changed["Statement"][0]["Effect"] == "Deny", "an override takes the place of the same Sid"
    assert len(changed["Statement"]) == 2


def test_a_session_leads_to_its_role(aws: AwsContext) -> None:
    trust = json.dumps(
        {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    )
    make(aws, "aws:iam/role:Role", name="issuer", path="/deep/", assumeRolePolicy=trust)
    token = "aws:iam/getSessionContext:getSessionContext"
    session = ask(aws, token, arn="arn:aws:sts::123456789012:assumed-role/issuer/me")
    assert session["issuerArn"] == "arn:aws:iam::123456789012:role/deep/issuer", (
        "with the path that the session lacks"
    )
    user = "arn:aws:iam::123456789012:user/me"
    assert ask(aws, token, arn=user)["issuerArn"] == user
    assert ask(aws, "aws:iam/getRole:getRole", name="issuer")["path"] == "/deep/"


def test_a_parameter_that_does_not_exist_is_reported(aws: AwsContext) -> None:
    with pytest.raises(CloudError, match="ParameterNotFound"):
        ask(aws, "aws:ssm/getParameter:getParameter", name="/nothing/here")


def test_log_groups_are_found_by_prefix_and_described_by_name(aws: AwsContext) -> None:
    for name in ("/functions/one", "/functions/one/more"):
        aws.call("logs", "CreateLogGroup", {"logGroupName": name})
    aws.call("logs", "PutRetentionPolicy", {"logGroupName": "/functions/one", "retentionInDays": 7})
    response = ask(aws, "aws:cloudwatch/getLogGroups:getLogGroups", logGroupNamePrefix="/functions/one")
    assert response["logGroupNames"] == ["/functions/one", "/functions/one/more"]
    one = ask(aws, "aws:cloudwatch/getLogGroup:getLogGroup", name="/functions/one")
    assert (one["retentionInDays"], one["kmsKeyId"]) == (7, "")
    with pytest.raises(CloudError, match="couldn't find resource"):
        ask(aws, "aws:cloudwatch/getLogGroup:getLogGroup", name="/functions/o")


def test_instances_are_selected_by_state_tags_and_groups(aws: AwsContext) -> None:
    image = aws.call("ec2", "DescribeImages", {"Owners": ["amazon"]})["Images"][0]["ImageId"]
    launch = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "pool", "Value": "gpu"}]}]
    more = {"TagSpecifications": tags, "SecurityGroups": ["default"]}
    (tagged,) = aws.call("ec2", "RunInstances", {**launch, **more})["Instances"]
    aws.call("ec2", "RunInstances", launch)

    def selected(*states: str, **filters: str) -> list[str]:
        wanted = [{"name": name.replace("_", "-"), "values": [value]} for name, value in filters.items()]
        stated: Props = {"instanceStateNames": list(states)} if states else {}
        ids = ask(aws, "aws:ec2/getInstances:getInstances", filters=wanted, **stated)["ids"]
        assert isinstance(ids, list)
        return ids

    assert selected(tag_key="pool") == [tagged["InstanceId"]]
    assert selected("stopped", tag_key="pool") == [], "running ones by default"
    assert selected(**{"tag:pool": "*"}) == [tagged["InstanceId"]]
    assert tagged["InstanceId"] in selected(**{"instance.group_name": "def*"})
    assert selected(**{"instance.group_name": "other-*"}) == []
    assert selected(placement_group_name="gpu-*") == []
