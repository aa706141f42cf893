"""EC2: VPC endpoints, of the kinds gateway and interface."""

from __future__ import annotations

import json
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

# fmt: off
SERVICES: Final = frozenset({
    "access-analyzer", "acm-pca", "airflow.api", "airflow.env", "airflow.ops", "aps", "aps-workspaces",
    "athena", "autoscaling", "autoscaling-plans", "backup", "backup-gateway", "batch", "bedrock",
    "bedrock-agent", "bedrock-agent-runtime", "bedrock-runtime", "cloudformation", "cloudtrail",
    "codeartifact.api", "codeartifact.repositories", "codebuild", "codecommit", "codepipeline", "config",
    "databrew", "datasync", "dynamodb", "ebs", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs",
    "ecs-agent", "ecs-telemetry", "eks", "eks-auth", "elasticache", "elasticfilesystem",
    "elasticloadbalancing", "elasticmapreduce", "emr-containers", "emr-serverless", "events",
    "evidently", "execute-api", "firehose", "fsx", "glue", "grafana", "grafana-workspace", "guardduty-data",
    "imagebuilder", "inspector2", "kafka", "kinesis-firehose", "kinesis-streams", "kms", "lakeformation",
    "lambda", "logs", "monitoring", "networkmanager", "oam", "organizations", "pipes", "polly",
    "prometheus", "rds", "rds-data", "redshift", "redshift-data", "rekognition", "s3", "s3-outposts",
    "s3express", "s3tables", "sagemaker.api", "sagemaker.featurestore-runtime", "sagemaker.metrics",
    "sagemaker.runtime", "scheduler", "secretsmanager", "securityhub", "servicecatalog", "servicediscovery",
    "servicediscovery-data", "sns", "sqs", "ssm", "ssmmessages", "states", "storagegateway", "sts",
    "synthetics", "tagging", "textract", "transcribe", "transfer", "translate", "wafv2", "workspaces",
    "xray",
})
# fmt: on
"""Suffixes of the services that have VPC endpoints (aws-services-privatelink-support in the VPC docs)."""
_LONGEST_POLICY: Final = 20480
_GATEWAYS: Final = ("s3", "dynamodb", "s3express")


def create(params: Params, state: MotoState) -> None:
    """CreateVpcEndpoint: the service must be one of the region's, what is named must be the VPC's."""
    vpc = state.vpc(params.get("VpcId") or "")
    _policy(params.get("PolicyDocument"))
    name = params.get("ServiceName") or ""
    if name.startswith(("com.amazonaws.vpce.", "com.amazonaws.vpce-")):
        return
    prefix = f"com.amazonaws.{state.region}."
    if not name.startswith(prefix) or name.removeprefix(prefix) not in SERVICES:
        raise Refusal("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    kind = params.get("VpcEndpointType") or "Gateway"
    if kind == "Gateway" and name.removeprefix(prefix) not in _GATEWAYS:
        raise Refusal(
            "InvalidParameter",
            f"Endpoint type (Gateway) does not match available service types ([Interface]) of {name}.",
        )
    if kind == "Gateway":
        _tables(params.get("RouteTableIds") or [], vpc, name, state)
        return
    _subnets(params.get("SubnetIds") or [], vpc, state)
    for group in params.get("SecurityGroupIds") or []:
        if state.group(group).vpc_id != vpc.id:
            raise Refusal(
                "InvalidParameter", f"Security group {group} is not of {vpc.id}, the endpoint's VPC"
            )
    if str(params.get("PrivateDnsEnabled")).lower() == "true":
        _private_dns(vpc, name, state)


def modify(params: Params, state: MotoState) -> None:
    """ModifyVpcEndpoint: the same for what is added."""
    endpoint = state.ec2.vpc_end_points.get(params.get("VpcEndpointId"))
    if endpoint is None or endpoint.state == "deleted":
        return  # moto refuses
    vpc = state.vpc(endpoint.vpc_id)
    _policy(params.get("PolicyDocument"))
    _tables(params.get("AddRouteTableIds") or [], vpc, endpoint.service_name, state)
    removed = params.get("RemoveSubnetIds") or []
    subnet_ids = [subnet_id for subnet_id in endpoint.subnet_ids or [] if subnet_id not in removed]
    _subnets([*subnet_ids, *(params.get("AddSubnetIds") or [])], vpc, state)
    for group in params.get("AddSecurityGroupIds") or []:
        state.group(group)


def _policy(text: str | None) -> None:
    """A resource policy: JSON, whose statements say who can do what."""
    if not text:
        return
    if len(text) > _LONGEST_POLICY:
        raise _invalid_policy(f"it has {len(text)} characters, {_LONGEST_POLICY} are the limit")
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise _invalid_policy("it is not JSON with a Statement") from None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise _invalid_policy("a statement has the Effect Allow or Deny")
        for either in (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
            if not any(statement.get(element) for element in either):
                raise _invalid_policy(f"a statement lacks {either[0]}")


def _invalid_policy(why: str) -> Refusal:
    return Refusal(
        "InvalidPolicyDocument", f"The specified policy document is not a valid JSON policy document: {why}"
    )


def _tables(tables: list[str], vpc: Any, service: str, state: MotoState) -> None:
    for table in tables:
        route_table = state.ec2.route_tables.get(table)
        if route_table is None:
            raise Refusal("InvalidRouteTableId.NotFound", f"The routeTable ID '{table}' does not exist")
        if route_table.vpc_id != vpc.id:
            raise Refusal("InvalidParameter", f"Route table {table} does not belong to the VPC {vpc.id}")
        for other in _living(state):
            if other.service_name == service and table in (other.route_table_ids or []):
                raise Refusal(
                    "RouteAlreadyExists",
                    f"route table {table} already has a route with destination-prefix-list-id "
                    f"{other.destination_prefix_list_id}",
                )


def _subnets(subnets: list[str], vpc: Any, state: MotoState) -> None:
    zones: dict[str, str] = {}
    for subnet in subnets:
        subnet_ = state.subnet(subnet)
        if subnet_.vpc_id != vpc.id:
            raise Refusal("InvalidParameter", f"Subnet {subnet} does not belong to the VPC {vpc.id}")
        if zones.setdefault(subnet_.availability_zone, subnet) != subnet:
            raise Refusal(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet}. VPC endpoint "
                f"subnets should be in different availability zones supported by the VPC endpoint service.",
            )


def _private_dns(vpc: Any, service: str, state: MotoState) -> None:
    if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
        raise Refusal(
            "InvalidParameter",
            f"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set "
            f"to true for {vpc.id}",
        )
    for other in _living(state):
        same = other.vpc_id == vpc.id and other.service_name == service
        if same and str(other.private_dns_enabled).lower() == "true":
            raise Refusal(
                "InvalidParameter",
                f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{service} in the VPC {vpc.id} ({other.id})",
            )


def _living(state: MotoState) -> list[Any]:
    return [endpoint for endpoint in state.ec2.vpc_end_points.values() if endpoint.state != "deleted"]


RULES: Final = {"CreateVpcEndpoint": create, "ModifyVpcEndpoint": modify}
