"""Networks, compute and identity that AWS or its provider refuses: each has one error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from tests.end_to_end.plain import Base, trust

Case = Callable[[str, Base], Any]
IMAGE: Final = "123456789012.dkr.ecr.us-west-2.amazonaws.com/image:1"


def _associations(name: str, base: Base) -> None:
    before: list[pulumi.Resource] = []
    for label in (f"{name}-of", name):
        table = aws.ec2.RouteTable(f"{label}-table", vpc_id=base.vpc_id)
        options = pulumi.ResourceOptions(depends_on=before)
        before = [
            aws.ec2.RouteTableAssociation(
                label, subnet_id=base.subnet_ids[0], route_table_id=table.id, opts=options
            )
        ]


def _function(name: str, **arguments: Any) -> None:
    role = aws.iam.Role(f"{name}-of", assume_role_policy=trust("lambda.amazonaws.com"))
    code = pulumi.AssetArchive({"main.py": pulumi.StringAsset("def handler(event, context): ...")})
    good: dict[str, Any] = {
        "role": role.arn,
        "runtime": "python3.13",
        "handler": "main.handler",
        "code": code,
    }
    aws.lambda_.Function(name, **{**good, **arguments})


def _cluster(name: str, base: Base, **arguments: Any) -> None:
    role = aws.iam.Role(f"{name}-of", assume_role_policy=trust("eks.amazonaws.com"))
    good: dict[str, Any] = {"role_arn": role.arn, "vpc_config": {"subnet_ids": base.subnet_ids}}
    aws.eks.Cluster(name, **{**good, **arguments})


def _template(name: str, **arguments: Any) -> None:
    aws.ec2.LaunchTemplate(name, **arguments)


def _machine(name: str, definition: Mapping[str, Any]) -> None:
    role = aws.iam.Role(f"{name}-of", assume_role_policy=trust("states.amazonaws.com"))
    aws.sfn.StateMachine(name, role_arn=role.arn, definition=json.dumps(definition))


def _rule(name: str, base: Base, **arguments: Any) -> None:
    good: dict[str, Any] = {
        "security_group_id": aws.ec2.SecurityGroup(f"{name}-of", vpc_id=base.vpc_id).id,
        "ip_protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "cidr_ipv4": "10.0.0.0/16",
    }
    aws.vpc.SecurityGroupIngressRule(name, **{**good, **arguments})


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


NETWORK: Final[Mapping[str, Case]] = {
    "vpc-larger-than-16": lambda name, _: aws.ec2.Vpc(name, cidr_block="10.0.0.0/15"),
    "vpc-smaller-than-28": lambda name, _: aws.ec2.Vpc(name, cidr_block="10.0.0.0/29"),
    "vpc-with-host-bits": lambda name, _: aws.ec2.Vpc(name, cidr_block="10.0.0.1/16"),
    "subnet-that-overlaps": lambda name, base: aws.ec2.Subnet(
        name, vpc_id=base.vpc_id, cidr_block="10.0.1.0/25"
    ),
    "subnet-in-a-zone-of-another-region": lambda name, base: aws.ec2.Subnet(
        name, vpc_id=base.vpc_id, cidr_block="10.0.40.0/24", availability_zone="eu-west-1a"
    ),
    "route-table-with-a-gateway-that-is-none": lambda name, base: aws.ec2.RouteTable(
        name, vpc_id=base.vpc_id, routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-0123456789abcdef0"}]
    ),
    "second-association-of-a-subnet": lambda name, base: _associations(name, base),
    "second-internet-gateway-of-a-network": lambda name, base: aws.ec2.InternetGateway(
        name,
        vpc_id=base.vpc_id,
        opts=pulumi.ResourceOptions(depends_on=[aws.ec2.InternetGateway(f"{name}-of", vpc_id=base.vpc_id)]),
    ),
    "nat-gateway-without-an-address": lambda name, base: aws.ec2.NatGateway(
        name, subnet_id=base.subnet_ids[0], connectivity_type="public"
    ),
    "interface-endpoint-of-no-service": lambda name, base: aws.ec2.VpcEndpoint(
        name,
        vpc_id=base.vpc_id,
        service_name="com.amazonaws.us-west-2.ecr-api",
        vpc_endpoint_type="Interface",
        subnet_ids=base.subnet_ids,
    ),
    "rule-with-a-port-above-65535": lambda name, base: _rule(name, base, from_port=65536, to_port=65536),
    "rule-with-no-source": lambda name, base: _rule(name, base, cidr_ipv4=None),
    "rule-with-two-sources": lambda name, base: _rule(name, base, cidr_ipv6="::/0"),
    "rule-with-an-unknown-protocol": lambda name, base: _rule(name, base, ip_protocol="tpc"),
    "security-group-named-sg": lambda name, base: aws.ec2.SecurityGroup(
        name, vpc_id=base.vpc_id, name="sg-platform"
    ),
    "flow-log-without-a-destination": lambda name, base: aws.ec2.FlowLog(
        name, vpc_id=base.vpc_id, traffic_type="ALL"
    ),
    "flow-log-each-five-minutes": lambda name, base: aws.ec2.FlowLog(
        name,
        vpc_id=base.vpc_id,
        traffic_type="ALL",
        log_destination_type="s3",
        log_destination="arn:aws:s3:::flow-logs-of-platform",
        max_aggregation_interval=300,
    ),
    "placement-group-with-partitions-and-cluster": lambda name, _: aws.ec2.PlacementGroup(
        name, strategy="cluster", partition_count=3
    ),
    "template-with-65-hops": lambda name, _: _template(
        name, metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 65}
    ),
    "template-with-an-unknown-kind-of-volume": lambda name, _: _template(
        name,
        block_device_mappings=[
            {"device_name": "/dev/xvda", "ebs": {"volume_type": "gp4", "volume_size": 20}}
        ],
    ),
    "template-with-user-data-as-text": lambda name, _: _template(name, user_data="#!/bin/bash"),
}

COMPUTE: Final[Mapping[str, Case]] = {
    "node-group-with-a-minimum-above-the-maximum": lambda name, base: aws.eks.NodeGroup(
        name,
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        scaling_config={"min_size": 3, "desired_size": 3, "max_size": 2},
    ),
    "node-group-with-an-unknown-effect-of-a-taint": lambda name, base: aws.eks.NodeGroup(
        name,
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        scaling_config={"min_size": 0, "desired_size": 0, "max_size": 1},
        taints=[{"key": "gpu", "value": "true", "effect": "NoSchedule"}],
    ),
    "addon-that-does-not-exist": lambda name, base: aws.eks.Addon(
        name, cluster_name=base.cluster, addon_name="vpc-cnii"
    ),
    "addon-with-a-setting-that-it-lacks": lambda name, base: aws.eks.Addon(
        name,
        cluster_name=base.cluster,
        addon_name="vpc-cni",
        configuration_values=json.dumps({"enableNetworkPolicies": "true"}),
    ),
    "access-entry-for-no-principal": lambda name, base: aws.eks.AccessEntry(
        name, cluster_name=base.cluster, principal_arn="arn:aws:iam::123456789012:rol/none"
    ),
    "access-entry-with-a-reserved-group": lambda name, base: aws.eks.AccessEntry(
        name,
        cluster_name=base.cluster,
        principal_arn=base.node_role_arn,
        kubernetes_groups=["system:masters"],
    ),
    "pod-identity-with-a-role-of-no-account": lambda name, base: aws.eks.PodIdentityAssociation(
        name,
        cluster_name=base.cluster,
        namespace="default",
        service_account="runner",
        role_arn="arn:aws:iam::aws:role/none",
    ),
    "cluster-of-a-version-that-is-gone": lambda name, base: _cluster(name, base, version="1.20"),
    "cluster-in-one-subnet": lambda name, base: _cluster(
        name, base, vpc_config={"subnet_ids": base.subnet_ids[:1]}
    ),
    "cluster-with-an-unknown-log": lambda name, base: _cluster(
        name, base, enabled_cluster_log_types=["apis"]
    ),
    "function-of-16-minutes": lambda name, base: _function(name, timeout=901),
    "function-of-100-mb": lambda name, base: _function(name, memory_size=100),
    "image-function-with-a-runtime": lambda name, _: _function(
        name, package_type="Image", image_uri=IMAGE, code=None
    ),
    "function-with-an-unknown-runtime": lambda name, _: _function(name, runtime="python3.1"),
    "function-with-a-reserved-variable": lambda name, base: _function(
        name, environment={"variables": {"AWS_REGION": "us-west-2"}}
    ),
    "function-with-20-gb-of-storage": lambda name, base: _function(name, ephemeral_storage={"size": 20480}),
    "function-url-without-authorization": lambda name, _: aws.lambda_.FunctionUrl(
        name, function_name="none", authorization_type="PUBLIC"
    ),
    "permission-with-an-invalid-id": lambda name, _: aws.lambda_.Permission(
        name,
        function="none",
        action="lambda:InvokeFunction",
        principal="s3.amazonaws.com",
        statement_id="a/b",
    ),
    "machine-with-a-state-that-is-missing": lambda name, base: _machine(
        name, {"StartAt": "First", "States": {"First": {"Type": "Pass", "Next": "Second"}}}
    ),
    "machine-without-an-end": lambda name, base: _machine(
        name, {"StartAt": "First", "States": {"First": {"Type": "Pass"}}}
    ),
    "build-project-of-an-unknown-size": lambda name, base: aws.codebuild.Project(
        name,
        service_role=base.node_role_arn,
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "compute_type": "BUILD_GENERAL1_TINY",
            "image": "aws/codebuild/standard:7.0",
            "type": "LINUX_CONTAINER",
        },
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
    ),
}

IDENTITY: Final[Mapping[str, Case]] = {
    "role-with-a-session-of-13-hours": lambda name, _: aws.iam.Role(
        name, assume_role_policy=trust("ec2.amazonaws.com"), max_session_duration=46800
    ),
    "role-with-a-path-without-slashes": lambda name, _: aws.iam.Role(
        name, assume_role_policy=trust("ec2.amazonaws.com"), path="platform"
    ),
    "role-that-an-unknown-service-assumes": lambda name, _: aws.iam.Role(
        name, assume_role_policy=trust("ec3.amazonaws.com")
    ),
    "role-whose-trust-names-resources": lambda name, _: aws.iam.Role(
        name,
        assume_role_policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "ec2.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Resource": "*",
                    }
                ],
            }
        ),
    ),
    "policy-with-an-unknown-effect": lambda name, _: aws.iam.Policy(
        name, policy=document(Effect="Permit", Action="s3:GetObject", Resource="*")
    ),
    "policy-with-a-principal": lambda name, _: aws.iam.Policy(
        name, policy=document(Effect="Allow", Principal="*", Action="s3:GetObject", Resource="*")
    ),
    "policy-with-a-resource-that-is-no-arn": lambda name, _: aws.iam.Policy(
        name, policy=document(Effect="Allow", Action="s3:GetObject", Resource="bucket/*")
    ),
    "policy-with-an-unknown-operator": lambda name, _: aws.iam.Policy(
        name,
        policy=document(
            Effect="Allow",
            Action="s3:GetObject",
            Resource="*",
            Condition={"StringEqual": {"aws:RequestedRegion": "us-west-2"}},
        ),
    ),
    "attachment-of-a-policy-that-does-not-exist": lambda name, base: aws.iam.RolePolicyAttachment(
        name, role=base.cluster_role, policy_arn="arn:aws:iam::aws:policy/AmazonEKSNodePolicy"
    ),
    "oidc-provider-with-http": lambda name, _: aws.iam.OpenIdConnectProvider(
        name, url="http://token.actions.githubusercontent.com", client_id_lists=["sts.amazonaws.com"]
    ),
    "key-deleted-in-three-days": lambda name, _: aws.kms.Key(name, deletion_window_in_days=3),
    "key-rotated-each-30-days": lambda name, _: aws.kms.Key(
        name, enable_key_rotation=True, rotation_period_in_days=30
    ),
    "alias-of-aws": lambda name, _: aws.kms.Alias(
        name, name="alias/aws/platform", target_key_id=aws.kms.Key(f"{name}-of").id
    ),
    "alias-without-its-prefix": lambda name, _: aws.kms.Alias(
        name, name="platform", target_key_id=aws.kms.Key(f"{name}-of").id
    ),
    "secret-recovered-in-40-days": lambda name, _: aws.secretsmanager.Secret(
        name, recovery_window_in_days=40
    ),
    "parameter-below-a-reserved-path": lambda name, _: aws.ssm.Parameter(
        name, name="/aws/platform", type="String", value="one"
    ),
    "parameter-over-4-kb": lambda name, _: aws.ssm.Parameter(
        name, type="String", tier="Standard", value="x" * 4097
    ),
    "parameter-whose-value-breaks-its-pattern": lambda name, _: aws.ssm.Parameter(
        name, type="String", value="one", allowed_pattern="^[0-9]+$"
    ),
}

CASES: Final[Mapping[str, Case]] = {**NETWORK, **COMPUTE, **IDENTITY}
