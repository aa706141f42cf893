"""What is made is in the inventory; what is destroyed leaves it empty."""

from __future__ import annotations

import json

import pytest

from tests.twin.aws.fronts import Clients
from twin.aws import inventory


def test_a_fresh_account_is_empty(clients: Clients) -> None:
    assert inventory.of(clients.front) == {}, "the baseline is not in it"
    clients("ec2").describe_vpcs()
    clients("s3").list_buckets()
    assert inventory.of(clients.front) == {}, "looking makes nothing"


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
    held = inventory.of(clients.front)
    expected = {
        "vpcs", "subnets", "nat_gateways", "addresses", "vpc_end_points", "flow_logs", "placement_groups",
    }  # fmt: skip
    assert {f"ec2/{name}" for name in expected} <= set(held)
    assert {"iam/roles", "logs/groups", "kms/keys"} <= set(held)

    with pytest.raises(Exception, match="in use"):
        ec2.release_address(AllocationId=address)
    with pytest.raises(Exception, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_flow_logs(FlowLogIds=flow)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[each["VpcEndpoint"]["VpcEndpointId"] for each in endpoints])
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
    assert inventory.of(clients.front) == {}
