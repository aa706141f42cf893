"""IAM, KMS, logs, launch templates, endpoints, S3 and SSM through a moto server."""

from __future__ import annotations

import base64
import json

import pytest

from twin.aws.context import AwsContext
from twin.aws.resources.table import table
from twin.provider_interface import UNKNOWN
from twin.tests.aws.resources.life import make, refused

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


def policy(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_role_keeps_the_programs_own_text_of_its_document(aws: AwsContext) -> None:
    spaced = json.dumps(json.loads(TRUST), indent=4)
    role = make(aws, "aws:iam/role:Role", name="role-a", assumeRolePolicy=spaced)
    assert role.outputs["assumeRolePolicy"] == spaced, "the same by meaning is no change"
    changed = role.update(assumeRolePolicy=TRUST.replace("eks", "ec2"), description="new")
    assert "ec2.amazonaws.com" in changed["assumeRolePolicy"]
    role.delete()
    assert role.read() is None


def test_a_policy_that_is_attached_is_no_drift_and_changes_by_versions(aws: AwsContext) -> None:
    role = make(aws, "aws:iam/role:Role", name="role-b", assumeRolePolicy=TRUST)
    created = make(aws, "aws:iam/policy:Policy", name="policy-b", policy=policy("s3:GetObject"))
    joined = make(
        aws, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", role="role-b", policyArn=created.id
    )
    assert created.read() == created.outputs, "the number of attachments changes with others' resources"
    for number in range(6):  # one more than IAM keeps
        assert f"s3:Get{number}" in created.update(policy=policy(f"s3:Get{number}"))["policy"]
    for resource in (joined, created, role):
        resource.delete()
        assert resource.read() is None


def test_documents_are_checked_before_any_call(aws: AwsContext) -> None:
    token = "aws:iam/policy:Policy"
    assert "invalid JSON" in refused(aws, token, name="p", policy="{bad")["policy"]
    assert "did you mean s3" in refused(aws, token, name="p", policy=policy("s33:GetObject"))["policy"]
    assert not refused(aws, token, name="p", policy=UNKNOWN)
    role = refused(aws, "aws:iam/role:Role", name="x" * 65, assumeRolePolicy=policy("sts:AssumeRole"))
    assert "length less than or equal to 64" in role["name"]
    assert "Principal" in role["assumeRolePolicy"] or "Resource" in role["assumeRolePolicy"]


def test_a_key_is_gone_when_its_deletion_is_scheduled(aws: AwsContext) -> None:
    key = make(aws, "aws:kms/key:Key", description="d", enableKeyRotation=True, deletionWindowInDays=7)
    assert key.outputs["enableKeyRotation"] is True
    assert key.update(enableKeyRotation=False)["enableKeyRotation"] is False
    alias = make(aws, "aws:kms/alias:Alias", name="alias/test", targetKeyId=key.outputs["arn"])
    assert alias.outputs["targetKeyArn"] == key.outputs["arn"]
    alias.delete()
    key.delete()
    assert key.read() is None
    assert "7 - 30" in refused(aws, "aws:kms/key:Key", deletionWindowInDays=3)["deletionWindowInDays"]


def test_the_retention_of_a_log_group_is_seen_and_set(aws: AwsContext) -> None:
    token = "aws:cloudwatch/logGroup:LogGroup"
    group = make(aws, token, name="/test/a", retentionInDays=7)
    make(aws, token, name="/test/a-b")
    aws.call("logs", "PutRetentionPolicy", {"logGroupName": "/test/a", "retentionInDays": 30})
    state = group.read()
    assert state is not None
    assert state["retentionInDays"] == 30
    assert group.update(retentionInDays=None)["retentionInDays"] == 0, "for ever"
    assert "retentionInDays" in refused(aws, token, name="x", retentionInDays=8)


def test_every_change_of_a_launch_template_is_a_version(aws: AwsContext) -> None:
    template = make(
        aws,
        TEMPLATE,
        name="lt",
        updateDefaultVersion=True,
        instanceType="p5.48xlarge",
        ebsOptimized="true",
        metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 1},
        networkInterfaces=[
            {"deviceIndex": 0, "networkCardIndex": 0, "interfaceType": "efa", "securityGroups": ["sg-1"]},
            {
                "deviceIndex": 1,
                "networkCardIndex": 1,
                "interfaceType": "efa-only",
                "securityGroups": ["sg-1"],
            },
        ],
        tagSpecifications=[{"resourceType": "instance", "tags": {"a": "b"}}],
        tags={"x": "y"},
    )
    for name, value in template.inputs.items():
        assert template.outputs.get(name) == value, name
    out = template.update(userData=base64.b64encode(b"hi").decode(), tags=None)
    assert (out["latestVersion"], out["defaultVersion"]) == (2, 2)
    assert "tags" not in out
    out = template.update(updateDefaultVersion=False, instanceType="p4d.24xlarge")
    assert (out["latestVersion"], out["defaultVersion"]) == (3, 2)
    template.delete()
    assert template.read() is None


def test_nested_faults_of_a_launch_template_have_their_path(aws: AwsContext) -> None:
    failures = refused(
        aws,
        TEMPLATE,
        name="lt",
        instanceType="p9.large",
        userData="!!",
        metadataOptions={"httpTokens": "yes"},
        networkInterfaces=[{"interfaceType": "efax"}],
        tagSpecifications=[{"resourceType": "instances", "tags": UNKNOWN}],
    )
    assert set(failures) == {
        "instanceType",
        "userData",
        "metadataOptions.httpTokens",
        "networkInterfaces[0].interfaceType",
        "tagSpecifications[0].resourceType",
    }


def test_endpoints_follow_their_kind(aws: AwsContext) -> None:
    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    vpc = make(aws, "aws:ec2/vpc:Vpc", cidrBlock="10.7.0.0/16")
    route_table = make(aws, "aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    gateway = make(
        aws,
        token,
        vpcId=vpc.id,
        serviceName="com.amazonaws.us-west-2.s3",
        routeTableIds=[route_table.id],
    )
    assert gateway.outputs["prefixListId"].startswith("pl-")
    assert gateway.update(routeTableIds=[])["routeTableIds"] == []
    wrong = refused(aws, token, vpcId="vpc-1", serviceName="x", subnetIds=["subnet-1"])
    assert "type Gateway" in wrong["subnetIds"]
    gateway.delete()
    assert gateway.read() is None


def test_a_bucket_is_emptied_when_forced(aws: AwsContext) -> None:
    bucket = make(aws, "aws:s3/bucket:Bucket", bucket="test-bucket-a", forceDestroy=True, tags={"a": "b"})
    versions = make(
        aws,
        "aws:s3/bucketVersioning:BucketVersioning",
        bucket=bucket.id,
        versioningConfiguration={"status": "Enabled"},
    )
    for _ in range(2):
        aws.call("s3", "PutObject", {"Bucket": bucket.id, "Key": "k", "Body": b"x"})
    versions.delete()
    assert bucket.update(tags={"c": "d"})["tagsAll"] == {"c": "d", "owner": "platform"}
    bucket.delete()
    assert bucket.read() is None


def test_a_parameter_gets_versions(aws: AwsContext) -> None:
    created = make(aws, "aws:ssm/parameter:Parameter", name="/a/b", type="String", value="v")
    assert created.update(value="w")["version"] == 2


@pytest.mark.parametrize(
    ("sizes", "path"),
    [
        ({"minSize": 3, "maxSize": 2, "desiredSize": 3}, "scalingConfig.minSize"),
        ({"minSize": 1, "maxSize": 2, "desiredSize": 0}, "scalingConfig.desiredSize"),
    ],
)
def test_sizes_of_a_node_group_must_be_in_order(aws: AwsContext, sizes: dict[str, int], path: str) -> None:
    failures = refused(
        aws,
        "aws:eks/nodeGroup:NodeGroup",
        clusterName="c",
        nodeGroupName="n",
        nodeRoleArn="arn",
        subnetIds=["subnet-1"],
        scalingConfig=sizes,
        amiType="AL2023",
    )
    assert path in failures
    assert "enum value set" in failures["amiType"]


def test_what_replaces_a_cluster_or_a_node_group() -> None:
    cluster, group = table()["aws:eks/cluster:Cluster"], table()["aws:eks/nodeGroup:NodeGroup"]
    assert cluster.replaces("encryptionConfig", {"encryptionConfig": {}}, {})
    assert not cluster.replaces("encryptionConfig", {}, {"encryptionConfig": {}})
    assert not cluster.replaces("vpcConfig.subnetIds", {}, {})
    assert group.replaces("launchTemplate.id", {}, {})
    assert not group.replaces("launchTemplate.version", {}, {})
    assert group.same("subnetIds", ["a", "b"], ["b", "a"]), "a set has no order"
