"""EC2: VPC endpoints, of the kinds gateway and interface."""

from __future__ import annotations

import json
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

SERVICES: Final = frozenset(stated.read(__name__)["services"])
"""Suffixes of the services that have VPC endpoints."""
_LONGEST_POLICY: Final = 20480


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
    if kind == "Gateway" and name.removeprefix(prefix) not in ("s3", "dynamodb", "s3express"):
        raise Refusal(
            "InvalidParameter",
            f"Endpoint type (Gateway) does not match available service types ([Interface]) of {name}.",
        )
    others = (
        ("SubnetIds", "SecurityGroupIds", "PrivateDnsEnabled") if kind == "Gateway" else ("RouteTableIds",)
    )
    _check({**params, **dict.fromkeys(others)}, vpc, name, state)


def modify(params: Params, state: MotoState) -> None:
    """ModifyVpcEndpoint: the same for what is added."""
    endpoint = state.ec2.vpc_end_points.get(params.get("VpcEndpointId"))
    if endpoint is None or endpoint.state == "deleted":
        return  # moto refuses
    _policy(params.get("PolicyDocument"))
    removed = params.get("RemoveSubnetIds") or []
    remaining = [subnet_id for subnet_id in endpoint.subnet_ids or [] if subnet_id not in removed]
    changed = {
        "RouteTableIds": params.get("AddRouteTableIds"),
        "SubnetIds": [*remaining, *(params.get("AddSubnetIds") or [])],
        "SecurityGroupIds": params.get("AddSecurityGroupIds"),
    }
    _check(changed, state.vpc(endpoint.vpc_id), endpoint.service_name, state)


def _check(params: Params, vpc: Any, service: str, state: MotoState) -> None:
    scope = {
        "tables": params.get("RouteTableIds"),
        "subnets": sorted(set(params.get("SubnetIds") or [])),
        "groups": params.get("SecurityGroupIds"),
        "private": params.get("PrivateDnsEnabled"),
        "vpc": vpc.id,
        "service": service,
        "dns": bool(vpc.enable_dns_support and vpc.enable_dns_hostnames),
    }
    stated.check(__name__, "endpoint", scope, state)


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


RULES: Final = {"CreateVpcEndpoint": create, "ModifyVpcEndpoint": modify}
