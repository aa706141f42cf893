"""Networks, compute and identity that AWS accepts, though they are unusual."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from tests.end_to_end.plain import Base, trust
from tests.end_to_end.resource_cases.aws_wrong_foundation import document

Case = Callable[[str, Base], Any]


def _role(name: str, service: str, **arguments: Any) -> aws.iam.Role:
    return aws.iam.Role(f"{name}-role", assume_role_policy=trust(f"{service}.amazonaws.com"), **arguments)


def _rule(name: str, base: Base, **arguments: Any) -> None:
    group = aws.ec2.SecurityGroup(f"{name}-of", vpc_id=base.vpc_id)
    aws.vpc.SecurityGroupIngressRule(name, security_group_id=group.id, **arguments)


def _flow_log(name: str, base: Base) -> None:
    bucket = aws.s3.Bucket(f"{name}-of")
    aws.ec2.FlowLog(
        name,
        vpc_id=base.vpc_id,
        traffic_type="REJECT",
        log_destination_type="s3",
        log_destination=bucket.arn.apply(lambda arn: f"{arn}/network/logs/"),
        max_aggregation_interval=60,
        destination_options={
            "file_format": "parquet",
            "hive_compatible_partitions": True,
            "per_hour_partition": True,
        },
    )


def _node_group(name: str, base: Base, **arguments: Any) -> None:
    aws.eks.NodeGroup(
        name,
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        **arguments,
    )


def _function(name: str, **arguments: Any) -> aws.lambda_.Function:
    code = pulumi.AssetArchive({"main.py": pulumi.StringAsset("def handler(event, context): ...")})
    good: dict[str, Any] = {"runtime": "python3.13", "handler": "main.handler", "code": code}
    return aws.lambda_.Function(name, role=_role(name, "lambda").arn, **{**good, **arguments})


def _machine(name: str) -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "Next": "Choose"},
            "Choose": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.ok %}", "Next": "Done"}],
                "Default": "Failed",
            },
            "Done": {"Type": "Succeed"},
            "Failed": {"Type": "Fail", "Error": "Failed"},
        },
    }
    role = _role(name, "states")
    aws.sfn.StateMachine(name, type="EXPRESS", role_arn=role.arn, definition=json.dumps(definition))


NETWORK: Final[Mapping[str, Case]] = {
    "rule-by-the-number-of-a-protocol": lambda name, base: _rule(
        name, base, ip_protocol="6", from_port=443, to_port=443, cidr_ipv4="10.0.0.0/16"
    ),
    "rule-of-all-icmp": lambda name, base: _rule(
        name, base, ip_protocol="icmp", from_port=-1, to_port=-1, cidr_ipv4="10.0.0.0/16"
    ),
    "rule-of-all-protocols": lambda name, base: _rule(name, base, ip_protocol="-1", cidr_ipv4="10.0.0.0/16"),
    "flow-log-into-a-folder": _flow_log,
    "vpc-of-28": lambda name, _: aws.ec2.Vpc(name, cidr_block="100.64.0.0/28"),
    "placement-group-of-seven-partitions": lambda name, _: aws.ec2.PlacementGroup(
        name, strategy="partition", partition_count=7
    ),
    "placement-group-that-spreads": lambda name, _: aws.ec2.PlacementGroup(
        name, strategy="spread", spread_level="rack"
    ),
    "template-at-its-limits": lambda name, _: aws.ec2.LaunchTemplate(
        name,
        metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 64},
        block_device_mappings=[
            {
                "device_name": "/dev/xvda",
                "ebs": {"volume_type": "io2", "volume_size": 100, "iops": 50_000, "encrypted": "true"},
            }
        ],
    ),
}

DEFAULTS: Final[Mapping[str, Case]] = {
    "subnet-with-defaults": lambda name, base: aws.ec2.Subnet(
        name, vpc_id=base.vpc_id, cidr_block="10.0.250.0/28"
    ),
    "endpoint-with-defaults": lambda name, base: aws.ec2.VpcEndpoint(
        name, vpc_id=base.vpc_id, service_name="com.amazonaws.us-west-2.s3"
    ),
    "security-group-with-defaults": lambda name, base: aws.ec2.SecurityGroup(name, vpc_id=base.vpc_id),
    "security-group-with-rules-inside": lambda name, base: aws.ec2.SecurityGroup(
        name,
        vpc_id=base.vpc_id,
        ingress=[{"protocol": "tcp", "from_port": 22, "to_port": 22, "self": True}],
        egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "ipv6_cidr_blocks": ["::/0"]}],
    ),
}
"""What programs declare most often: nearly all of it is filled in by the service."""

COMPUTE: Final[Mapping[str, Case]] = {
    "node-group-of-spot-by-percentage": lambda name, base: _node_group(
        name,
        base,
        capacity_type="SPOT",
        instance_types=["m6i.large", "m6a.large", "m7i.large"],
        scaling_config={"min_size": 0, "desired_size": 0, "max_size": 3},
        update_config={"max_unavailable_percentage": 33},
        taints=[{"key": "spot", "effect": "PREFER_NO_SCHEDULE"}],
        labels={"platform.example/pool": "spot__1"},
    ),
    "access-entry-with-groups": lambda name, base: aws.eks.AccessEntry(
        name,
        cluster_name=base.cluster,
        principal_arn=_role(name, "ec2", path="/people/of/acme/").arn,
        kubernetes_groups=["ml:developers"],
        user_name="arn:aws:sts::123456789012:assumed-role/people/{{SessionName}}",
    ),
    "function-at-its-limits": lambda name, _: _function(
        name,
        architectures=["arm64"],
        memory_size=10_240,
        timeout=900,
        ephemeral_storage={"size": 10_240},
        environment={"variables": {"MODEL_URI": "s3://models/one"}},
        tracing_config={"mode": "Active"},
    ),
    "machine-with-jsonata": lambda name, _: _machine(name),
}

IDENTITY: Final[Mapping[str, Case]] = {
    "role-with-repeated-underscores": lambda name, _: aws.iam.Role(
        name, name="acme__platform=role@eu,1.x", assume_role_policy=trust("ec2.amazonaws.com")
    ),
    "role-of-two-principals": lambda name, _: aws.iam.Role(
        name,
        max_session_duration=43_200,
        assume_role_policy=document(
            Effect="Allow",
            Principal={"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]},
            Action=["sts:AssumeRole", "sts:TagSession"],
        ),
    ),
    "policy-of-all-but-some-actions": lambda name, _: aws.iam.Policy(
        name,
        policy=document(
            Effect="Deny",
            NotAction=["iam:Get*", "sts:GetCallerIdentity"],
            NotResource="arn:aws:s3:::public-data/*",
            Condition={
                "ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["team-*"]},
                "Bool": {"aws:MultiFactorAuthPresent": "false"},
                "NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.1"]},
            },
        ),
    ),
    "policy-with-one-statement-and-no-list": lambda name, _: aws.iam.Policy(
        name,
        policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
            }
        ),
    ),
    "key-that-signs": lambda name, _: aws.kms.Key(
        name, key_usage="SIGN_VERIFY", customer_master_key_spec="ECC_NIST_P256", deletion_window_in_days=7
    ),
    "key-of-several-regions": lambda name, _: aws.kms.Key(
        name, multi_region=True, enable_key_rotation=True, rotation_period_in_days=2560
    ),
    "secret-deleted-at-once": lambda name, _: aws.secretsmanager.Secret(
        name, name=f"team/{name}/key@1", recovery_window_in_days=0
    ),
    "parameter-of-the-advanced-tier": lambda name, _: aws.ssm.Parameter(
        name, name="/acme/ml/config", type="String", tier="Advanced", value="x" * 8192
    ),
    "parameter-of-a-list": lambda name, _: aws.ssm.Parameter(
        name, type="StringList", value="a,b,c", allowed_pattern="^[a-z,]+$"
    ),
}

CASES: Final[Mapping[str, Case]] = {**NETWORK, **DEFAULTS, **COMPUTE, **IDENTITY}
