"""The network component: resources, names, and refused arguments."""

import json
from typing import Any

import pytest
from pulumi_aws import ec2

from aiplatform._shared.args import ArgumentError, keys
from aiplatform._shared.aws.account import Account
from aiplatform._shared.outputs import plain
from aiplatform.network import Network
from aiplatform.network.args import NetworkReference
from aiplatform.network.aws import endpoint_policies
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import ACCOUNT, REGION, Recording, record, value


def _network(**arguments: Any) -> Recording:
    args: Any = {"prefix": "acme-dev", "cidr": "10.16.0.0/16", "zone_count": 2, **arguments}
    return record(lambda: Network("network", args))


@pytest.fixture(scope="module")
def default() -> Recording:
    """A network over two zones with only the required arguments."""
    return _network()


def _refused(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        _network(**arguments)
    return [str(problem) for problem in error.value.problems]


def test_logical_names_are_a_contract():
    assert _network(aws={"endpoints": ["sts"]}).names() == [
        "aiplatform:index:Network network",
        "aws:cloudwatch/logGroup:LogGroup network-flow-logs",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup network-default-security-group",
        "aws:ec2/eip:Eip network-nat-euc1-az1",
        "aws:ec2/flowLog:FlowLog network-flow-logs",
        "aws:ec2/internetGateway:InternetGateway network-internet-gateway",
        "aws:ec2/natGateway:NatGateway network-nat-euc1-az1",
        "aws:ec2/route:Route network-private-euc1-az1-internet",
        "aws:ec2/route:Route network-private-euc1-az2-internet",
        "aws:ec2/route:Route network-public-internet",
        "aws:ec2/routeTable:RouteTable network-intra",
        "aws:ec2/routeTable:RouteTable network-private-euc1-az1",
        "aws:ec2/routeTable:RouteTable network-private-euc1-az2",
        "aws:ec2/routeTable:RouteTable network-public",
        "aws:ec2/routeTableAssociation:RouteTableAssociation network-intra-euc1-az1",
        "aws:ec2/routeTableAssociation:RouteTableAssociation network-intra-euc1-az2",
        "aws:ec2/routeTableAssociation:RouteTableAssociation network-private-euc1-az1",
        "aws:ec2/routeTableAssociation:RouteTableAssociation network-private-euc1-az2",
        "aws:ec2/routeTableAssociation:RouteTableAssociation network-public-euc1-az1",
        "aws:ec2/routeTableAssociation:RouteTableAssociation network-public-euc1-az2",
        "aws:ec2/securityGroup:SecurityGroup network-endpoints",
        "aws:ec2/subnet:Subnet network-intra-euc1-az1",
        "aws:ec2/subnet:Subnet network-intra-euc1-az2",
        "aws:ec2/subnet:Subnet network-private-euc1-az1",
        "aws:ec2/subnet:Subnet network-private-euc1-az2",
        "aws:ec2/subnet:Subnet network-public-euc1-az1",
        "aws:ec2/subnet:Subnet network-public-euc1-az2",
        "aws:ec2/vpc:Vpc network-vpc",
        "aws:ec2/vpcEndpoint:VpcEndpoint network-endpoint-dynamodb",
        "aws:ec2/vpcEndpoint:VpcEndpoint network-endpoint-s3",
        "aws:ec2/vpcEndpoint:VpcEndpoint network-endpoint-sts",
        "aws:iam/role:Role network-flow-logs",
        "aws:iam/rolePolicy:RolePolicy network-flow-logs",
        "aws:kms/alias:Alias network-key",
        "aws:kms/key:Key network-key",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule network-endpoints-https",
    ]


def test_every_part_is_a_child_of_the_component(default: Recording):
    component = default.one("aiplatform:index:Network")
    for resource in default.resources:
        if resource is not component:
            assert resource.parent == component.urn, resource.name


def test_a_third_zone_adds_and_changes_nothing():
    two, three = _network(), _network(zone_count=3)
    for before in two.resources:
        after = three.named(before.name) if before.type.startswith("aiplatform") else None
        after = after or three.one(before.type, before.name)
        if before.type.endswith(("Network", "VpcEndpoint")):
            continue  # they list the zones' parts
        assert after.inputs == before.inputs, before.name
    assert len(three.all("aws:ec2/subnet:Subnet")) == 9


def test_subnets_are_in_their_zones_with_roles_and_without_public_addresses():
    recorded = _network(zone_ids=["euc1-az3", "euc1-az1"])
    subnets = {subnet.name: subnet.inputs for subnet in recorded.all("aws:ec2/subnet:Subnet")}
    assert subnets["network-private-euc1-az3"]["cidrBlock"] == "10.16.0.0/18", "the order is the plan's"
    assert subnets["network-private-euc1-az1"]["cidrBlock"] == "10.16.64.0/18"
    for name, inputs in subnets.items():
        assert inputs["availabilityZoneId"] in name
        assert inputs["mapPublicIpOnLaunch"] is False, "no public node"
        assert inputs["tags"]["ai-platform/network"] == "acme-dev"
    assert subnets["network-public-euc1-az1"]["tags"]["kubernetes.io/role/elb"] == "1"
    assert subnets["network-private-euc1-az1"]["tags"]["kubernetes.io/role/internal-elb"] == "1"
    assert not any("role" in key for key in subnets["network-intra-euc1-az1"]["tags"])


def test_zones_are_looked_up_without_local_and_wavelength_zones(default: Recording):
    (call,) = [call for call in default.calls if call.token.endswith("getAvailabilityZones")]
    filters = {entry["name"]: entry["values"] for entry in call.arguments["filters"]}
    assert filters == {"opt-in-status": ["opt-in-not-required"], "zone-type": ["availability-zone"]}


@pytest.mark.parametrize(
    ("nat", "gateways", "routes"), [("none", 0, 0), ("single", 1, 3), ("per_zone", 3, 3)]
)
def test_nat_is_none_one_or_one_a_zone(nat: str, gateways: int, routes: int):
    recorded = _network(nat=nat, zone_count=3)
    nats = recorded.all("aws:ec2/natGateway:NatGateway")
    assert len(nats) == len(recorded.all("aws:ec2/eip:Eip")) == gateways
    egress_rules = [r for r in recorded.all("aws:ec2/route:Route") if "natGatewayId" in r.inputs]
    assert len(egress_rules) == routes
    assert len({route.inputs["natGatewayId"] for route in egress_rules}) == gateways
    internet = recorded.one("aws:ec2/internetGateway:InternetGateway")
    assert all(recorded.depends(gateway, internet) for gateway in nats), "a NAT gateway needs it attached"
    assert len(value(recorded.result.nat_public_ips)) == gateways


def test_a_replaced_nat_gateway_frees_its_address_first():
    (nat,) = _network(nat="single").all("aws:ec2/natGateway:NatGateway")
    assert nat.delete_before_replace, "EC2 refuses an address that another gateway has"


def test_resources_in_private_subnets_depend_on_their_routes():
    def program() -> None:
        args: Any = {
            "prefix": "acme-dev",
            "cidr": "10.16.0.0/16",
            "zone_count": 2,
            "aws": {"endpoints": ["sts"]},
        }
        network = Network("network", args)
        zones: Any = network.outputs["zones"]  # type: ignore[typeddict-item]
        ec2.NetworkInterface("all", subnet_id=network.private_subnet_ids[0])
        ec2.NetworkInterface("one", subnet_id=zones[0]["private_subnet_id"])
        ec2.NetworkInterface("intra", subnet_id=network.intra_subnet_ids[0])

    recorded = record(program)
    ways = [
        *recorded.all("aws:ec2/route:Route"),
        *recorded.all("aws:ec2/vpcEndpoint:VpcEndpoint"),
        *(
            r
            for r in recorded.all("aws:ec2/routeTableAssociation:RouteTableAssociation")
            if "intra" not in r.name
        ),
        *recorded.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"),
    ]
    assert len(ways) == 3 + 3 + 4 + 1
    for way in ways:
        for name in ("all", "one"):
            node = recorded.named(name)
            assert recorded.depends(node, way), f"a node without {way.name} pulls no image"
        assert not recorded.depends(recorded.named("intra"), way), "the control plane needs no way out"


def test_the_mode_of_nat_changes_no_route_table():
    tables = [
        [table.inputs for table in _network(nat=nat).all("aws:ec2/routeTable:RouteTable")]
        for nat in ("none", "single", "per_zone")
    ]
    assert tables[0] == tables[1] == tables[2]


def test_intra_subnets_have_no_way_out():
    recorded = _network(nat="per_zone")
    intra = recorded.one("aws:ec2/routeTable:RouteTable", "network-intra")
    assert not [r for r in recorded.all("aws:ec2/route:Route") if intra.urn in r.depends_on]


def test_gateway_endpoints_are_always_there_and_in_every_table():
    recorded = _network(nat="none")
    endpoints = recorded.all("aws:ec2/vpcEndpoint:VpcEndpoint")
    assert [e.inputs["serviceName"] for e in endpoints] == [
        f"com.amazonaws.{REGION}.dynamodb",
        f"com.amazonaws.{REGION}.s3",
    ]
    for endpoint in endpoints:
        assert endpoint.inputs["vpcEndpointType"] == "Gateway"
        assert len(endpoint.inputs["routeTableIds"]) == 4, "public, intra and two private tables"
    assert not recorded.all("aws:ec2/securityGroup:SecurityGroup"), "no interface endpoint, no group"


def test_interface_endpoints_are_reached_only_by_https_from_the_vpc():
    recorded = _network(aws={"endpoints": ["ecr.api", "eks-auth"]})
    group = recorded.one("aws:ec2/securityGroup:SecurityGroup")
    assert "egress" not in group.inputs, "the provider then removes AWS's allow-all"
    assert "ingress" not in group.inputs
    assert group.inputs["namePrefix"] == "acme-dev-endpoints-"
    rule = recorded.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").inputs
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (
        "10.16.0.0/16",
        443,
        443,
        "tcp",
    )
    endpoint = recorded.one("aws:ec2/vpcEndpoint:VpcEndpoint", "network-endpoint-eks-auth").inputs
    assert endpoint["serviceName"] == f"com.amazonaws.{REGION}.eks-auth"
    assert endpoint["privateDnsEnabled"] is True
    assert len(endpoint["subnetIds"]) == 2


@pytest.mark.parametrize("endpoints", [["sts"], []])
def test_interface_endpoints_in_china_are_refused_before_anything_is_created(endpoints: list[str]):
    region = "cn-north-1"
    partition = {"id": "aws-cn", "partition": "aws-cn", "dnsSuffix": "amazonaws.com.cn"}
    answers: Any = {
        "aws:index/getRegion:getRegion": lambda _: {"id": region, "name": region, "region": region},
        "aws:index/getPartition:getPartition": lambda _: partition,
    }
    args: Any = {"prefix": "acme-dev", "cidr": "10.16.0.0/16", "aws": {"endpoints": endpoints}}

    def program() -> list[str]:
        try:
            Network("network", args)
        except ArgumentError as error:
            return [str(problem) for problem in error.problems]
        return []

    recorded = record(program, answers=answers)
    if not endpoints:
        assert not recorded.result
        return
    (problem,) = recorded.result
    assert problem.startswith("NetworkArgs.aws.endpoints: got ['sts']; expected none in cn-north-1")
    assert not recorded.all("aws:ec2/vpc:Vpc"), "some services there are cn.com.amazonaws..."


def test_endpoints_that_carry_data_allow_only_principals_of_the_account():
    recorded = _network(aws={"endpoints": ["glue", "kinesis-firehose", "sts"]})
    policies = {
        service: recorded.one("aws:ec2/vpcEndpoint:VpcEndpoint", f"network-endpoint-{service}").inputs
        for service in ("glue", "kinesis-firehose", "sts")
    }
    [glue] = json.loads(policies["glue"]["policy"])["Statement"]
    assert glue["Action"] == ["glue:*"]
    assert glue["Condition"] == {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    [firehose] = json.loads(policies["kinesis-firehose"]["policy"])["Statement"]
    assert firehose["Action"] == ["firehose:*"], "its name in policies is another one"
    assert "policy" not in policies["sts"], "service accounts of EKS sign nothing there"


def test_flow_logs_go_to_an_encrypted_group_with_retention():
    recorded = _network(flow_log_retention_days=365)
    group = recorded.one("aws:cloudwatch/logGroup:LogGroup").inputs
    key = recorded.one("aws:kms/key:Key")
    assert group["name"] == "/aws/vpc/acme-dev/flow-logs"
    assert group["retentionInDays"] == 365
    assert group["kmsKeyId"] == key.state["arn"]
    assert key.inputs["enableKeyRotation"] is True
    flow_log = recorded.one("aws:ec2/flowLog:FlowLog")
    assert flow_log.delete_before_replace, "EC2 refuses a second one to the same log group"
    assert flow_log.inputs["trafficType"] == "ALL"
    assert recorded.depends(flow_log, recorded.one("aws:iam/rolePolicy:RolePolicy")), (
        "else the first are lost"
    )


def test_the_key_is_for_the_account_and_this_log_group_only(default: Recording):
    account, logs = json.loads(default.one("aws:kms/key:Key").inputs["policy"])["Statement"]
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert logs["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}
    assert not any("*" in action for action in logs["Action"])
    assert logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"] == (
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/vpc/acme-dev/flow-logs"
    )


def test_the_flow_log_role_is_narrow_and_no_confused_deputy(default: Recording):
    trust = json.loads(default.one("aws:iam/role:Role").inputs["assumeRolePolicy"])["Statement"][0]
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"},
    }
    for statement in json.loads(default.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        assert statement["Resource"] != "*"


def test_without_flow_logs_there_is_neither_role_nor_key():
    recorded = _network(flow_log_retention_days=0)
    assert not [r for r in recorded.resources if r.type.startswith(("aws:iam", "aws:kms", "aws:cloudwatch"))]


def test_the_default_security_group_is_closed_and_the_vpc_resolves_names(default: Recording):
    group = default.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    assert "ingress" not in group
    assert "egress" not in group
    network = default.one("aws:ec2/vpc:Vpc").inputs
    assert network["enableDnsSupport"] is True
    assert network["enableDnsHostnames"] is True, "private DNS of interface endpoints needs both"


def test_outputs_are_registered_and_are_what_a_cluster_takes(default: Recording):
    outputs = default.one("aiplatform:index:Network").outputs
    assert outputs is not None
    assert set(outputs) <= keys(NetworkReference)
    assert outputs["cidr"] == "10.16.0.0/16"
    assert [zone["id"] for zone in outputs["zones"]] == ["euc1-az1", "euc1-az2"]
    assert outputs["zones"][0]["private_subnet_id"] == outputs["private_subnet_ids"][0]
    assert json.loads(json.dumps(outputs)) == outputs, "a layer's outputs survive JSON"
    assert value(default.result.vpc_id) == outputs["vpc_id"]


def test_every_input_and_output_is_documented_for_other_languages():
    assert undocumented(Network) == []


@pytest.mark.parametrize(
    ("arguments", "key"),
    [({"endpoints": ["sts"]}, "aws.endpoints"), ({"pods_per_node": 32}, "gcp.pods_per_node")],
)
def test_an_option_of_one_cloud_outside_its_block_is_refused_with_its_place(
    arguments: dict[str, Any], key: str
):
    (option,) = arguments
    assert _refused(**arguments) == [f"NetworkArgs.{option}: unknown key; did you mean '{key}'?"]


def test_a_misspelt_key_is_refused_with_the_nearest():
    assert _refused(flow_log_retention_day=7) == [
        "NetworkArgs.flow_log_retention_day: unknown key; did you mean 'flow_log_retention_days'?"
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"cidr": "10.0.0.0/24"}, "NetworkArgs.cidr: got '10.0.0.0/24'; expected a range of /16"),
        ({"cidr": "10.0.1.0/16"}, "did you mean '10.0.0.0/16'?"),
        ({"cidr": "8.8.0.0/16"}, "expected a private range"),
        ({"cidr": "10.0.0.0/20", "pods": 5000}, "a range of /18 would be enough"),
        ({"zone_count": 1}, "NetworkArgs.zone_count: got 1; expected 2 to 3 zones"),
        (
            {"zone_count": None, "zone_ids": ["euc1-az1"]},
            "NetworkArgs.zone_ids: got 1 zone(s); expected 2 or 3",
        ),
        (
            {"zone_count": None, "zone_ids": ["euc1-az1", "euc1-az1"]},
            "which repeats euc1-az1; expected no duplicates",
        ),
        ({"zone_count": None, "zone_ids": ["us-west-2a", "us-west-2b"]}, "a zone's id such as usw2-az1"),
        (
            {"zone_count": None, "zone_ids": ["euc1-az1", "euc1-az9"]},
            "got 'euc1-az9'; expected one of euc1-az1",
        ),
        ({"zone_count": None, "zone_ids": ["use1-az1", "use1-az3"]}, "expected a zone that EKS can use"),
        ({"zone_ids": ["euc1-az1", "euc1-az2", "euc1-az3"]}, "and zone_ids; expected one of the two"),
        ({"nat": "singel"}, "did you mean 'single'?"),
        ({"aws": {"endpoints": ["s3"]}}, "NetworkArgs.aws.endpoints[0]: got 's3'"),
        (
            {"aws": {"endpoints": ["ecr"]}},
            "NetworkArgs.aws.endpoints[0]: got 'ecr', which is the name of no endpoint; expected ecr.api",
        ),
        ({"flow_log_retention_days": 31}, "30 is the nearest"),
        ({"prefix": "Acme"}, "NetworkArgs.prefix: got 'Acme'; expected lower-case"),
        ({"prefix": "a" * 30}, "expected at most 27 characters, got 30"),
        ({"tags": {"aws:x": "y"}}, "is reserved for AWS"),
    ],
)
def test_bad_input_is_refused_with_its_path(arguments: dict[str, Any], problem: str):
    problems = _refused(**arguments)
    assert any(problem in text for text in problems), problems


def _policy(recording: Recording, service: str) -> dict[str, Any]:
    endpoint = recording.one("aws:ec2/vpcEndpoint:VpcEndpoint", f"network-endpoint-{service}")
    return {statement["Sid"]: statement for statement in json.loads(endpoint.inputs["policy"])["Statement"]}


@pytest.mark.parametrize("service", ["s3", "dynamodb"])
def test_a_gateway_endpoint_allows_only_data_of_the_account(default: Recording, service: str):
    statement = _policy(default, service)["OwnAccount"]
    assert statement["Condition"]["StringEquals"] == {
        "aws:PrincipalAccount": ACCOUNT,
        "aws:ResourceAccount": ACCOUNT,
    }, "no credentials carry data into another account"
    assert statement["Action"] == [f"{service}:*"], "IAM decides what a principal may do"


def test_nodes_read_images_and_packages_through_the_endpoint(default: Recording):
    others = _policy(default, "s3")["ReadOthers"]
    assert others["Action"] == ["s3:GetObject"], "nothing is written to others"
    assert others["Resource"] == [
        f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/*",
        f"arn:aws:s3:::al2023-repos-{REGION}-de612dc2/*",
        f"arn:aws:s3:::prod-registry-k8s-io-{REGION}/*",
        "arn:aws:s3:::docker-images-prod/*",
        f"arn:aws:s3:::codefactory-{REGION}-prod-default-build-agent-executor/*",
    ]
    assert "Condition" not in others, "ECR signs requests for layers with another account"


@pytest.mark.parametrize(("region", "expected"), [("us-east-1", True), ("us-west-2", False)])
def test_quays_bucket_is_readable_where_it_is(region: str, expected: bool):
    account = Account(ACCOUNT, region, "aws", "amazonaws.com", f"arn:aws:iam::{ACCOUNT}:role/x")
    policy = plain(endpoint_policies.s3(account, []))
    assert ("arn:aws:s3:::quayio-production-s3/*" in policy) == expected, "elsewhere quay answers by its CDN"


def test_a_public_data_set_is_readable_once_it_is_named():
    policy = _policy(_network(aws={"readable_buckets": ["openimages"]}), "s3")
    assert "arn:aws:s3:::openimages/*" in policy["ReadOthers"]["Resource"]
    assert policy["ListOthers"]["Resource"] == ["arn:aws:s3:::openimages"]


def test_what_is_no_bucket_is_refused():
    assert _refused(aws={"readable_buckets": ["s3://x"]}) == [
        "NetworkArgs.aws.readable_buckets[0]: got 's3://x'; expected a bucket's name"
    ]


def test_more_zones_than_the_region_has_are_refused_with_those_that_it_has():
    one = {
        "id": "x",
        "region": REGION,
        "names": [f"{REGION}a"],
        "zoneIds": ["euc1-az2"],
        "groupNames": [REGION],
    }
    args: Any = {"prefix": "acme-dev", "cidr": "10.16.0.0/16", "zone_count": 2}
    answers: Any = {"aws:index/getAvailabilityZones:getAvailabilityZones": lambda _: one}
    with pytest.raises(ArgumentError) as error:
        record(lambda: Network("network", args), answers=answers)
    assert [str(problem) for problem in error.value.problems] == [
        "NetworkArgs.zone_count: got 2; expected at most the zones of the region: euc1-az2"
    ]
