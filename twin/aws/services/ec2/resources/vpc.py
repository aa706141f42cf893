"""EC2's network: VPC, subnets, gateways, addresses."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Failure, Props


def cidr_failures(name: str, value: Any, smallest: int = 28, largest: int = 16) -> Iterator[Failure]:
    """A VPC's or subnet's IPv4 range: a network address with a prefix that EC2 allows."""
    if not isinstance(value, str):
        return
    try:
        network = IPv4Network(value)
    except ValueError as error:
        yield Failure(name, f'"{value}" is not a valid IPv4 CIDR block: {error}')
        return
    if not largest <= network.prefixlen <= smallest:
        yield Failure(
            name,
            f"expected {name} to contain a network Value with between {largest} and {smallest} "
            f"significant bits, got: {network.prefixlen}",
        )


class Vpc(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from cidr_failures("cidrBlock", inputs.get("cidrBlock"))

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "instanceTenancy":  # dedicated to default is a call, the other way is not
            return new.get("instanceTenancy") not in (None, "default")
        return super().replaces(path, old, new)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        outputs: Props = {}
        for name in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"):
            answer = context.call("ec2", "DescribeVpcAttribute", {"VpcId": id, "Attribute": name})
            outputs[name] = answer.get(name[0].upper() + name[1:], {}).get("Value", False)
        return {**outputs, **default_parts(context, id)}


def default_parts(context: AwsContext, vpc_id: str) -> Props:
    """What comes with every VPC: its main route table, default network ACL and default security group."""
    in_vpc = {"Name": "vpc-id", "Values": [vpc_id]}

    def first(operation: str, name: str, value: str) -> dict[str, Any]:
        filters = [in_vpc, {"Name": name, "Values": [value]}]
        answer = context.call("ec2", operation, {"Filters": filters})
        members = next(v for k, v in answer.items() if k != "ResponseMetadata" and isinstance(v, list))
        return members[0] if members else {}

    table = first("DescribeRouteTables", "association.main", "true").get("RouteTableId")
    acl = first("DescribeNetworkAcls", "default", "true").get("NetworkAclId")
    group = first("DescribeSecurityGroups", "group-name", "default").get("GroupId")
    part_ids = {
        "mainRouteTableId": table,
        "defaultRouteTableId": table,
        "defaultNetworkAclId": acl,
        "defaultSecurityGroupId": group,
    }
    return {name: value for name, value in part_ids.items() if value}


class Subnet(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from cidr_failures("cidrBlock", inputs.get("cidrBlock"))
