"""EC2's network: VPC, subnets, gateways, addresses."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call, after
from twin.aws.resources.fields import Field, kept, pascal, reads
from twin.aws.resources.tags import Ec2Tagging
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
    token = "aws:ec2/vpc:Vpc"
    service = "ec2"
    title = "EC2 VPC"
    fields = {
        **pascal("cidrBlock", "instanceTenancy", "ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6IpamPoolId"),
        **pascal("ipv6NetmaskLength", "ipv6CidrBlockNetworkBorderGroup"),
        "assignGeneratedIpv6CidrBlock": Field("AmazonProvidedIpv6CidrBlock", read=""),
        "ipv6CidrBlock": Field("Ipv6CidrBlock", read="Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock"),
        **kept("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"),
        **reads(
            dhcpOptionsId="DhcpOptionsId",
            ownerId="OwnerId",
            ipv6AssociationId="Ipv6CidrBlockAssociationSet[0].AssociationId",
        ),
    }
    create_call = Call("CreateVpc")
    id_path = "Vpc.VpcId"
    arn_form = "arn:{partition}:ec2:{region}:{account}:vpc/{id}"
    read_call = Call("DescribeVpcs", {"VpcIds": ["{id}"]})
    item = "Vpcs[0]"
    not_found = frozenset({"InvalidVpcID.NotFound"})
    # In this order: host names need the support.
    updates = (
        after(
            "enableDnsSupport",
            "ModifyVpcAttribute",
            {"VpcId": "{id}", "EnableDnsSupport": {"Value": "{enableDnsSupport}"}},
            True,
        ),
        after(
            "enableDnsHostnames",
            "ModifyVpcAttribute",
            {"VpcId": "{id}", "EnableDnsHostnames": {"Value": "{enableDnsHostnames}"}},
            False,
        ),
        after(
            "enableNetworkAddressUsageMetrics",
            "ModifyVpcAttribute",
            {
                "VpcId": "{id}",
                "EnableNetworkAddressUsageMetrics": {"Value": "{enableNetworkAddressUsageMetrics}"},
            },
            False,
        ),
    )
    delete_call = Call("DeleteVpc", {"VpcId": "{id}"})
    busy = frozenset({"DependencyViolation"})
    tagging = Ec2Tagging("vpc")
    immutable = frozenset(
        {
            "instanceTenancy",
            "assignGeneratedIpv6CidrBlock",
            "ipv6CidrBlock",
            "ipv6IpamPoolId",
            "ipv6NetmaskLength",
        }
    )
    defaults = {
        "instanceTenancy": "default",
    }
    paths = {"InvalidVpc.Range": "cidrBlock"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from cidr_failures("cidrBlock", inputs.get("cidrBlock"))
        if inputs.get("enableDnsHostnames") is True and inputs.get("enableDnsSupport") is False:
            yield Failure("enableDnsHostnames", "DNS host names need enableDnsSupport: true")

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "instanceTenancy":  # dedicated to default is a call, the other way is not
            return new.get("instanceTenancy") not in (None, "default")
        return super().replaces(path, old, new)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        attributes = {
            "enableDnsSupport": "EnableDnsSupport",
            "enableDnsHostnames": "EnableDnsHostnames",
            "enableNetworkAddressUsageMetrics": "EnableNetworkAddressUsageMetrics",
        }
        found: Props = {}
        for name, api in attributes.items():
            answer = context.call("ec2", "DescribeVpcAttribute", {"VpcId": id, "Attribute": name})
            found[name] = answer.get(api, {}).get("Value", False)
        return {**found, **default_parts(context, id)}


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
    found = {
        "mainRouteTableId": table,
        "defaultRouteTableId": table,
        "defaultNetworkAclId": acl,
        "defaultSecurityGroupId": group,
    }
    return {name: value for name, value in found.items() if value}


def _attribute(name: str, initial: Any, *, plain: bool = False) -> Any:
    api = name[0].upper() + name[1:]
    value = "{" + name + "}"
    return after(
        name,
        "ModifySubnetAttribute",
        {"SubnetId": "{id}", api: value if plain else {"Value": value}},
        initial,
    )


class Subnet(AwsResource):
    token = "aws:ec2/subnet:Subnet"
    service = "ec2"
    title = "EC2 Subnet"
    fields = {
        **pascal("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "outpostArn", "ipv6Native"),
        **pascal("ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6IpamPoolId", "ipv6NetmaskLength"),
        "ipv6CidrBlock": Field("Ipv6CidrBlock", read="Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock"),
        "mapPublicIpOnLaunch": Field(read="MapPublicIpOnLaunch"),
        "assignIpv6AddressOnCreation": Field(read="AssignIpv6AddressOnCreation"),
        "enableDns64": Field(read="EnableDns64"),
        "enableLniAtDeviceIndex": Field(read="EnableLniAtDeviceIndex"),
        "mapCustomerOwnedIpOnLaunch": Field(read="MapCustomerOwnedIpOnLaunch"),
        "customerOwnedIpv4Pool": Field(read="CustomerOwnedIpv4Pool"),
        "enableResourceNameDnsARecordOnLaunch": Field(
            read="PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord"
        ),
        "enableResourceNameDnsAaaaRecordOnLaunch": Field(
            read="PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord"
        ),
        "privateDnsHostnameTypeOnLaunch": Field(read="PrivateDnsNameOptionsOnLaunch.HostnameType"),
        **reads(
            ownerId="OwnerId",
            arn="SubnetArn",
            ipv6CidrBlockAssociationId="Ipv6CidrBlockAssociationSet[0].AssociationId",
        ),
    }
    create_call = Call("CreateSubnet")
    id_path = "Subnet.SubnetId"
    read_call = Call("DescribeSubnets", {"SubnetIds": ["{id}"]})
    item = "Subnets[0]"
    not_found = frozenset({"InvalidSubnetID.NotFound"})
    updates = (
        _attribute("mapPublicIpOnLaunch", False),
        _attribute("assignIpv6AddressOnCreation", False),
        _attribute("enableDns64", False),
        _attribute("enableResourceNameDnsARecordOnLaunch", False),
        after(
            "enableResourceNameDnsAaaaRecordOnLaunch",
            "ModifySubnetAttribute",
            {
                "SubnetId": "{id}",
                "EnableResourceNameDnsAAAARecordOnLaunch": {
                    "Value": "{enableResourceNameDnsAaaaRecordOnLaunch}"
                },
            },
            False,
        ),
        _attribute("privateDnsHostnameTypeOnLaunch", "ip-name", plain=True),
    )
    delete_call = Call("DeleteSubnet", {"SubnetId": "{id}"})
    busy = frozenset({"DependencyViolation"})
    tagging = Ec2Tagging("subnet")
    immutable = frozenset({"ipv6CidrBlock"})
    references = {"vpcId": "vpc-"}
    paths = {
        "InvalidVpcID.NotFound": "vpcId",
        "InvalidSubnet.Range": "cidrBlock",
        "InvalidSubnet.Conflict": "cidrBlock",
        "InvalidParameterValue": "availabilityZone",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from cidr_failures("cidrBlock", inputs.get("cidrBlock"))
        if inputs.get("availabilityZone") and inputs.get("availabilityZoneId"):
            yield Failure("availabilityZoneId", '"availabilityZoneId": conflicts with availabilityZone')
