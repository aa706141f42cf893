"""Routes, endpoints, groups and quotas of EC2, as AWS refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from twin.aws.services.eks.operations.images import published
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.validation.conftest import refused

Names = dict[str, str]
SERVICE = "com.amazonaws.us-west-2."


@pytest.fixture(scope="module")
def two(clients: Clients) -> Names:
    """Two VPCs, each with a subnet, a group, a route table and an internet gateway."""
    ec2 = clients("ec2")
    names: Names = {}
    for name, octet in (("one", 1), ("other", 2)):
        vpc = ec2.create_vpc(CidrBlock=f"10.{octet}.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{octet}.0.0/24", AvailabilityZone="us-west-2a")
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        names |= {
            f"{name}_vpc": vpc,
            f"{name}_subnet": subnet["Subnet"]["SubnetId"],
            f"{name}_igw": gateway,
            f"{name}_table": ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"],
            f"{name}_group": ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"],
        }
    return names


@pytest.fixture
def nat(clients: Clients, two: Names) -> Iterator[str]:
    """A NAT gateway of the second VPC."""
    ec2 = clients("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat_gateway = ec2.create_nat_gateway(SubnetId=two["other_subnet"], AllocationId=address)["NatGateway"]
    yield nat_gateway["NatGatewayId"]
    ec2.delete_nat_gateway(NatGatewayId=nat_gateway["NatGatewayId"])
    ec2.release_address(AllocationId=address)


def test_a_route_leads_to_one_thing_of_its_own_network(clients: Clients, two: Names, nat: str) -> None:
    route = {"RouteTableId": two["one_table"], "DestinationCidrBlock": "0.0.0.0/0"}
    for target, code, words in (
        ({"GatewayId": two["other_igw"]}, "InvalidParameterValue", "belong to different networks"),
        ({"NatGatewayId": nat}, "InvalidParameterValue", "belong to different networks"),
        ({"GatewayId": "igw-0123456789abcdef0"}, "InvalidGatewayID.NotFound", "does not exist"),
        ({"NatGatewayId": "nat-0123456789abcdef0"}, "InvalidNatGatewayID.NotFound", "does not exist"),
        ({"GatewayId": two["one_igw"], "NatGatewayId": nat}, "InvalidParameterCombination", "exactly one"),
        ({}, "MissingParameter", "target"),
    ):
        refusal = refused(clients, "ec2", "create_route", **route, **target)
        assert (refusal[0], words in refusal[1]) == (code, True), refusal
    clients("ec2").create_route(**route, GatewayId=two["one_igw"])
    refusal = refused(clients, "ec2", "create_route", **route, GatewayId=two["one_igw"])
    assert refusal[0] == "RouteAlreadyExists"
    local = {**route, "DestinationCidrBlock": "10.1.0.0/16", "GatewayId": two["one_igw"]}
    assert refused(clients, "ec2", "create_route", **local)[0] == "RouteAlreadyExists", "the VPC's own route"
    code, _ = refused(clients, "ec2", "replace_route", **route, GatewayId=two["other_igw"])
    assert code == "InvalidParameterValue"


def test_a_public_nat_gateway_without_internet_gateway_fails_as_on_aws(clients: Clients) -> None:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.0.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat_gateway_id = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"][
        "NatGatewayId"
    ]
    failed = ec2.describe_nat_gateways(NatGatewayIds=[nat_gateway_id])["NatGateways"][0]
    assert (failed["State"], failed["FailureCode"]) == ("failed", "Gateway.NotAttached")
    ec2.release_address(AllocationId=address)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


def test_a_group_names_groups_of_its_own_network(clients: Clients, two: Names) -> None:
    pair = [{"GroupId": two["other_group"]}]
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": pair}
    for operation in ("authorize_security_group_ingress", "authorize_security_group_egress"):
        code, why = refused(clients, "ec2", operation, GroupId=two["one_group"], IpPermissions=[rule])
        assert code == "InvalidGroup.NotFound"
        assert "belong to different networks" in why


@pytest.mark.parametrize("text", ["the cluster's nodes", "nodes — all", "x" * 256])
def test_descriptions_hold_no_apostrophe_dash_or_novel(clients: Clients, two: Names, text: str) -> None:
    code, why = refused(
        clients, "ec2", "create_security_group", GroupName="n", Description=text, VpcId=two["one_vpc"]
    )
    assert (code, "from the following set" in why) == ("InvalidParameterValue", True)
    ranges = [{"CidrIp": "10.0.0.0/8", "Description": text}]
    rule: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": ranges}
    code, why = refused(
        clients,
        "ec2",
        "authorize_security_group_ingress",
        GroupId=two["one_group"],
        IpPermissions=[rule],
    )
    assert "Invalid rule description" in why


def test_a_group_has_at_most_sixty_rules_a_direction(clients: Clients, two: Names) -> None:
    ec2 = clients("ec2")
    group = ec2.create_security_group(GroupName="full", Description="f", VpcId=two["one_vpc"])["GroupId"]

    def rule(first: int, count: int) -> dict[str, Any]:
        ranges = [{"CidrIp": f"10.0.{n}.0/24"} for n in range(first, first + count)]
        return {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": ranges}

    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule(0, 60)])
    code, _ = refused(
        clients, "ec2", "authorize_security_group_ingress", GroupId=group, IpPermissions=[rule(60, 1)]
    )
    assert code == "RulesPerSecurityGroupLimitExceeded"
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[rule(0, 59)])


def test_an_endpoint_fits_its_network(clients: Clients, two: Names) -> None:
    ec2 = clients("ec2")
    interface: dict[str, Any] = {
        "VpcId": two["one_vpc"],
        "ServiceName": SERVICE + "sts",
        "VpcEndpointType": "Interface",
        "SubnetIds": [two["one_subnet"]],
    }
    twin = ec2.create_subnet(VpcId=two["one_vpc"], CidrBlock="10.1.9.0/24", AvailabilityZone="us-west-2a")
    for change, code, words in (
        ({"PrivateDnsEnabled": True}, "InvalidParameter", "enableDnsHostnames"),
        ({"SubnetIds": [two["other_subnet"]]}, "InvalidParameter", "does not belong to the VPC"),
        ({"SecurityGroupIds": [two["other_group"]]}, "InvalidParameter", "is not of"),
        (
            {"SubnetIds": [two["one_subnet"], twin["Subnet"]["SubnetId"]]},
            "DuplicateSubnetsInSameZone",
            "different availability zones",
        ),
    ):
        refusal = refused(clients, "ec2", "create_vpc_endpoint", **{**interface, **change})
        assert (refusal[0], words in refusal[1]) == (code, True), refusal
    ec2.modify_vpc_attribute(VpcId=two["one_vpc"], EnableDnsHostnames={"Value": True})
    ec2.create_vpc_endpoint(**interface, PrivateDnsEnabled=True)
    refusal = refused(clients, "ec2", "create_vpc_endpoint", **interface, PrivateDnsEnabled=True)
    assert "conflicting DNS domain" in refusal[1]

    gateway = {"VpcId": two["one_vpc"], "ServiceName": SERVICE + "s3"}
    vpc_endpoint = ec2.create_vpc_endpoint(**gateway, RouteTableIds=[two["one_table"]])["VpcEndpoint"]
    refusal = refused(clients, "ec2", "create_vpc_endpoint", **gateway, RouteTableIds=[two["one_table"]])
    assert refusal[0] == "RouteAlreadyExists"
    refusal = refused(clients, "ec2", "create_vpc_endpoint", **gateway, RouteTableIds=[two["other_table"]])
    assert "does not belong to the VPC" in refusal[1]
    refusal = refused(
        clients,
        "ec2",
        "modify_vpc_endpoint",
        VpcEndpointId=vpc_endpoint["VpcEndpointId"],
        AddRouteTableIds=[two["other_table"]],
    )
    assert "does not belong to the VPC" in refusal[1]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("not json", "not JSON"),
        ('{"Statement": [{"Effect": "Permit"}]}', "Allow or Deny"),
        ('{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}', "lacks Principal"),
        ('{"Statement": [' + " " * 20480 + "]}", "are the limit"),
    ],
)
def test_the_policy_of_an_endpoint_is_one(clients: Clients, two: Names, policy: str, words: str) -> None:
    gateway = {"VpcId": two["one_vpc"], "ServiceName": SERVICE + "dynamodb", "PolicyDocument": policy}
    code, message = refused(clients, "ec2", "create_vpc_endpoint", **gateway)
    assert code == "InvalidPolicyDocument"
    assert words in message


def test_the_quotas_of_a_fresh_account_are_kept(clients: Clients, two: Names) -> None:
    ec2 = clients("ec2")
    count = len(ec2.describe_vpcs()["Vpcs"])
    vpcs = [ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"] for _ in range(5 - count)]
    code, _ = refused(clients, "ec2", "create_vpc", CidrBlock="10.7.0.0/16")
    assert code == "VpcLimitExceeded", "five a region, the default one among them"
    addresses = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(5)]
    assert refused(clients, "ec2", "allocate_address", Domain="vpc")[0] == "AddressLimitExceeded"
    nats = [
        ec2.create_nat_gateway(SubnetId=two["one_subnet"], AllocationId=address)["NatGateway"]["NatGatewayId"]
        for address in addresses
    ]
    code, _ = refused(
        clients, "ec2", "create_nat_gateway", SubnetId=two["one_subnet"], ConnectivityType="private"
    )
    assert code == "NatGatewayLimitExceeded"
    spare = [ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(3)]
    assert refused(clients, "ec2", "create_internet_gateway")[0] == "InternetGatewayLimitExceeded"
    for gateway_id in spare:
        ec2.delete_internet_gateway(InternetGatewayId=gateway_id)
    for nat in nats:
        ec2.delete_nat_gateway(NatGatewayId=nat)
    for allocation in addresses:
        ec2.release_address(AllocationId=allocation)
    for vpc in vpcs:
        ec2.delete_vpc(VpcId=vpc)


def test_an_instance_fits_its_image_and_its_user_data_is_small(clients: Clients, two: Names) -> None:
    folder = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended"
    image = published(f"{folder}/image_id")
    one = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "SubnetId": two["one_subnet"]}
    code, why = refused(clients, "ec2", "run_instances", **one, InstanceType="m7g.large")
    assert (code, "matching architectures" in why) == ("InvalidParameterValue", True)
    for data, expected in (
        ("no base64!", "InvalidUserData.Malformed"),
        ("A" * 22000, "InvalidParameterValue"),
    ):
        code, _ = refused(
            clients,
            "ec2",
            "create_launch_template",
            LaunchTemplateName="data",
            LaunchTemplateData={"UserData": data},
        )
        assert code == expected


def test_a_rule_keeps_its_description_whatever_it_is_for(clients: Clients, instance: dict[str, str]) -> None:
    ec2 = clients("ec2")
    managed_prefix_list = ec2.create_managed_prefix_list(
        PrefixListName="p", MaxEntries=1, AddressFamily="IPv4"
    )
    sources: dict[str, Any] = {
        "IpRanges": [{"CidrIp": "10.0.0.0/24", "Description": "a rule"}],
        "UserIdGroupPairs": [{"GroupId": instance["used"], "Description": "a rule"}],
        "PrefixListIds": [
            {"PrefixListId": managed_prefix_list["PrefixList"]["PrefixListId"], "Description": "a rule"}
        ],
    }
    for port, (member, source) in enumerate(sources.items(), 9000):
        permission: Any = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, member: source}
        ingress = ec2.authorize_security_group_ingress(GroupId=instance["group"], IpPermissions=[permission])
        ids = [
            security_group_rule["SecurityGroupRuleId"]
            for security_group_rule in ingress["SecurityGroupRules"]
        ]
        [rule] = ec2.describe_security_group_rules(SecurityGroupRuleIds=ids)["SecurityGroupRules"]
        assert rule["Description"] == "a rule", member


@pytest.mark.parametrize("classic", [False, True])
def test_subnet_and_group_of_a_load_balancer_stay_until_it_is_deleted(
    clients: Clients, two: Names, classic: bool
) -> None:
    ec2, name = clients("ec2"), "balancer-classic" if classic else "balancer"
    elb = clients("elb" if classic else "elbv2")
    vpc = two["one_vpc"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{octet}.0/24", AvailabilityZone=f"us-west-2{zone}")
        for octet, zone in ((20, "a"), (21, "b"))
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    group = ec2.create_security_group(GroupName=name, Description="of it", VpcId=vpc)["GroupId"]
    if classic:
        listener = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}
        elb.create_load_balancer(
            LoadBalancerName=name, Listeners=[listener], Subnets=ids, SecurityGroups=[group]
        )
        named = {"LoadBalancerName": name}
    else:
        balancer = elb.create_load_balancer(Name=name, Subnets=ids, SecurityGroups=[group])
        named = {"LoadBalancerArn": balancer["LoadBalancers"][0]["LoadBalancerArn"]}
    assert refused(clients, "ec2", "delete_subnet", SubnetId=ids[1])[0] == "DependencyViolation"
    assert refused(clients, "ec2", "delete_security_group", GroupId=group)[0] == "DependencyViolation"
    elb.delete_load_balancer(**named)
    ec2.delete_security_group(GroupId=group)
    for subnet in ids:
        ec2.delete_subnet(SubnetId=subnet)
