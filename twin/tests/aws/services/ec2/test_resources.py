"""EC2's network through a moto server: made, read, drifted, changed, deleted."""

from __future__ import annotations

import pytest

from twin.aws.context import AwsContext
from twin.provider_interface import UNKNOWN, CloudError
from twin.tests.aws.resources.life import Made, make, refused

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


@pytest.fixture(scope="module")
def vpc(aws: AwsContext) -> Made:
    return make(aws, VPC, cidrBlock="10.0.0.0/16", enableDnsHostnames=True, tags={"Name": "net"})


@pytest.fixture(scope="module")
def subnet(aws: AwsContext, vpc: Made) -> Made:
    return make(
        aws,
        SUBNET,
        vpcId=vpc.id,
        cidrBlock="10.0.0.0/24",
        availabilityZone="us-west-2a",
        mapPublicIpOnLaunch=True,
    )


def test_a_vpc_tells_what_comes_with_it(vpc: Made) -> None:
    out = vpc.outputs
    assert out["enableDnsHostnames"] is True, "set by a call after the create"
    assert out["defaultSecurityGroupId"].startswith("sg-")
    assert out["mainRouteTableId"] == out["defaultRouteTableId"]
    assert out["arn"] == f"arn:aws:ec2:us-west-2:123456789012:vpc/{vpc.id}"
    assert out["tags"] == {"Name": "net"}, "default tags are no tags of the resource"
    assert out["tagsAll"] == {"Name": "net", "owner": "platform"}


def test_a_changed_tag_is_drift(aws: AwsContext, subnet: Made) -> None:
    aws.call("ec2", "CreateTags", {"Resources": [subnet.id], "Tags": [{"Key": "by", "Value": "hand"}]})
    state = subnet.read()
    assert state is not None
    assert state["tags"] == {"by": "hand"}, "what was added behind the program's back shows"
    subnet.outputs = state
    assert "tags" not in subnet.update(), "and an update takes it away"


def test_an_attribute_goes_on_and_off(subnet: Made) -> None:
    assert subnet.update(mapPublicIpOnLaunch=False)["mapPublicIpOnLaunch"] is False


def test_a_security_group_has_the_rules_it_names_and_no_other(aws: AwsContext, vpc: Made) -> None:
    bare = make(aws, GROUP, name="bare", vpcId=vpc.id)
    described = aws.call("ec2", "DescribeSecurityGroups", {"GroupIds": [bare.id]})["SecurityGroups"][0]
    assert described["IpPermissionsEgress"] == [], "AWS's own allow-all egress rule is revoked"
    web = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8", "192.168.0.0/16"]}
    group = make(aws, GROUP, name="web", vpcId=vpc.id, ingress=[web])
    aws.call(
        "ec2",
        "RevokeSecurityGroupIngress",
        {
            "GroupId": group.id,
            "IpPermissions": [
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
            ],
        },
    )
    state = group.read()
    assert state is not None
    assert state["ingress"] != [web], "a rule that was removed is drift"
    group.outputs = state
    assert group.update()["ingress"] == [web], "and comes back"


def test_a_rule_of_its_own_is_changed_in_place(aws: AwsContext, vpc: Made) -> None:
    group = make(aws, GROUP, name="ruled", vpcId=vpc.id)
    rule = make(
        aws, INGRESS, securityGroupId=group.id, ipProtocol="tcp", fromPort=1, toPort=2, cidrIpv4="10.0.0.0/8"
    )
    assert rule.id.startswith("sgr-")
    assert rule.update(toPort=5)["toPort"] == 5
    rule.delete()
    assert rule.read() is None


def test_an_address_stays_settled_while_a_gateway_uses_it(aws: AwsContext, vpc: Made, subnet: Made) -> None:
    internet = make(aws, "aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    address = make(aws, "aws:ec2/eip:Eip", domain="vpc")
    gateway = make(aws, "aws:ec2/natGateway:NatGateway", allocationId=address.id, subnetId=subnet.id)
    assert gateway.outputs["publicIp"] == address.outputs["publicIp"]
    assert address.read() == address.outputs, "the association is the gateway's, no drift of the address"
    gateway.delete()
    assert gateway.read() is None, "a deleted gateway is listed for an hour, and is gone"
    address.delete()
    assert address.read() is None
    internet.delete()


def test_a_route_and_an_association_have_the_real_providers_ids(
    aws: AwsContext, vpc: Made, subnet: Made
) -> None:
    gateway = make(aws, "aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    table = make(aws, "aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    route = make(
        aws,
        "aws:ec2/route:Route",
        routeTableId=table.id,
        destinationCidrBlock="0.0.0.0/0",
        gatewayId=gateway.id,
    )
    assert route.id == f"r-{table.id}1080289494", "the table's id and the hash of the destination"
    assert table.read() == table.outputs, "separate routes are no drift of the table"
    joined = make(
        aws, "aws:ec2/routeTableAssociation:RouteTableAssociation", routeTableId=table.id, subnetId=subnet.id
    )
    other = make(aws, "aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    assert joined.update(routeTableId=other.id)["routeTableId"] == other.id
    for resource in (joined, route, table, other, gateway):
        resource.delete()
        assert resource.read() is None
        resource.delete()  # what is gone already is no error


def test_the_default_group_is_adopted_emptied_and_left(aws: AwsContext, vpc: Made) -> None:
    group = make(aws, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", vpcId=vpc.id)
    assert group.id == vpc.outputs["defaultSecurityGroupId"]
    described = aws.call("ec2", "DescribeSecurityGroups", {"GroupIds": [group.id]})["SecurityGroups"][0]
    assert (described["IpPermissions"], described["IpPermissionsEgress"]) == ([], [])
    group.delete()
    assert group.read() is not None, "AWS deletes it with the VPC alone"


def test_an_error_reads_as_the_providers_and_names_the_property(aws: AwsContext, vpc: Made) -> None:
    with pytest.raises(CloudError) as caught:
        make(aws, SUBNET, vpcId=vpc.id, cidrBlock="10.9.0.0/24")
    text = str(caught.value)
    assert text.startswith("creating EC2 Subnet: operation error EC2: CreateSubnet, https response error")
    assert "StatusCode: 400, RequestID: " in text
    assert "api error InvalidSubnet.Range: " in text
    assert (caught.value.code, caught.value.path) == ("InvalidSubnet.Range", "cidrBlock")


def test_what_the_model_refuses_is_reported_by_property(aws: AwsContext) -> None:
    assert set(refused(aws, SUBNET, vpcId="subnet-1", cidrBlock="10.0.0.1/24")) == {"vpcId", "cidrBlock"}
    assert "fromPort" in refused(
        aws, INGRESS, securityGroupId="sg-1", ipProtocol="tcp", fromPort=9, toPort=1, cidrIpv4="10.0.0.0/8"
    )
    bad = refused(aws, SUBNET, vpcId="vpc-1", cidrBlock="10.0.0.0/24", privateDnsHostnameTypeOnLaunch="bad")
    assert "ip-name, resource-name" in bad["privateDnsHostnameTypeOnLaunch"], (
        "a call after the create counts too"
    )


def test_what_is_not_known_yet_passes(aws: AwsContext) -> None:
    assert not refused(aws, SUBNET, vpcId=UNKNOWN, cidrBlock=UNKNOWN, tags=UNKNOWN)
