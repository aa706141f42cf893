"""What is made is in the inventory; what is destroyed leaves it empty."""

from __future__ import annotations

import json

import pytest

from twin.aws.api_server import inventory
from twin.tests.aws.api_servers import Clients


def test_a_fresh_account_is_empty(clients: Clients) -> None:
    assert inventory.of(clients.server) == {}, "the baseline is not in it"
    clients("ec2").describe_vpcs()
    clients("s3").list_buckets()
    assert inventory.of(clients.server) == {}, "looking makes nothing"


def test_a_network_that_is_destroyed_in_order_leaves_nothing(clients: Clients) -> None:
    ec2, iam, logs = clients("ec2"), clients("iam"), clients("logs")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    link = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    group = ec2.create_security_group(GroupName="e", Description="e", VpcId=vpc)["GroupId"]
    endpoints = [
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-west-2.s3", RouteTableIds=[table]),
        ec2.create_vpc_endpoint(
            VpcId=vpc,
            ServiceName="com.amazonaws.us-west-2.sts",
            VpcEndpointType="Interface",
            SubnetIds=[subnet],
            SecurityGroupIds=[group],
        ),
    ]
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
    }
    role = iam.create_role(
        RoleName="flow", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    logs.create_log_group(logGroupName="/flow")
    flow = ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="/flow",
        DeliverLogsPermissionArn=role,
    )["FlowLogIds"]
    ec2.create_placement_group(GroupName="p", Strategy="cluster")
    key = clients("kms").create_key()["KeyMetadata"]["KeyId"]
    clients("kms").create_alias(AliasName="alias/k", TargetKeyId=key)
    ids = inventory.of(clients.server)
    expected = {
        "vpcs", "subnets", "nat_gateways", "addresses", "vpc_end_points", "flow_logs", "placement_groups",
    }  # fmt: skip
    assert {f"ec2/{name}" for name in expected} <= set(ids)
    assert {"iam/roles", "logs/groups", "kms/keys"} <= set(ids)

    with pytest.raises(Exception, match="in use"):
        ec2.release_address(AllocationId=address)
    with pytest.raises(Exception, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_flow_logs(FlowLogIds=flow)
    ec2.delete_vpc_endpoints(
        VpcEndpointIds=[endpoint["VpcEndpoint"]["VpcEndpointId"] for endpoint in endpoints]
    )
    ec2.disassociate_route_table(AssociationId=link)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.release_address(AllocationId=address)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=vpc)
    iam.delete_role(RoleName="flow")
    logs.delete_log_group(logGroupName="/flow")
    ec2.delete_placement_group(GroupName="p")
    clients("kms").delete_alias(AliasName="alias/k")
    clients("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert inventory.of(clients.server) == {}


def test_a_gateway_endpoint_routes_in_the_tables_that_it_is_given(clients: Clients) -> None:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tables = [ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(3)]
    name = "com.amazonaws.us-west-2.s3"
    vpc_endpoint = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=name, RouteTableIds=tables[:1])
    endpoint = vpc_endpoint["VpcEndpoint"]["VpcEndpointId"]

    def routed() -> list[str]:
        route_tables = ec2.describe_route_tables(RouteTableIds=tables)["RouteTables"]
        return [
            route_table["RouteTableId"]
            for route_table in route_tables
            if any(route.get("GatewayId") == endpoint for route in route_table["Routes"])
        ]

    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, AddRouteTableIds=tables[1:], RemoveRouteTableIds=tables[:1]
    )
    assert routed() == tables[1:], "a table that is added has the route, one that is removed has it no more"
    ec2.delete_route_table(RouteTableId=tables.pop())
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert routed() == [], "a deleted endpoint takes its routes along, and misses no deleted table"
    for table in tables:
        ec2.delete_route_table(RouteTableId=table)
    ec2.delete_vpc(VpcId=vpc)
    assert inventory.of(clients.server) == {}


def test_the_key_that_aws_makes_for_volumes_is_no_leftover(clients: Clients) -> None:
    ec2, kms = clients("ec2"), clients("kms")
    volume = ec2.create_volume(AvailabilityZone="us-west-2a", Size=1, Encrypted=True)["VolumeId"]
    key = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
    assert key["KeyManager"] == "AWS"
    ec2.delete_volume(VolumeId=volume)
    assert inventory.of(clients.server) == {}, "AWS's own keys stay, and cost nothing"
