"""Managed node groups, and their machines as the control plane sees them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from twin.aws.resources.table import table
from twin.provider_interface import CloudError, HalfMade
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.test_functions import ask
from twin.tests.aws.services.eks.conftest import refusal
from twin.tests.aws.services.eks.scene import Names, group_params, role, view

BAD_GROUPS: list[tuple[Names, str]] = [
    ({"instanceTypes": ["g5.gigantic"]}, "do not exist"),
    ({"instanceTypes": ["m5.large"], "amiType": "AL2023_x86_64_NVIDIA"}, "not a valid instance type for "
    "requested "
    "amiType"),
    ({"instanceTypes": ["m7g.large"], "amiType": "AL2023_x86_64_STANDARD"}, "not a valid instance type"),
    ({"amiType": "AL2024_x86_64"}, "enum value set"),
    ({"amiType": "AL2_x86_64_GPU"}, "not supported for Kubernetes version 1.34"),
    ({"scalingConfig": {"minSize": 3, "maxSize": 2, "desiredSize": 2}}, "Minimum capacity 3"),
    ({"scalingConfig": {"minSize": 0, "maxSize": 2, "desiredSize": 5}}, "can't be greater than max size"),
    ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, "NO_SCHEDULE"),
    ({"labels": {"kubernetes.io/x": "y"}}, "reserved prefixes"),
    ({"labels": {"node-role.kubernetes.io/gpu": "y"}}, "reserved prefixes"),
    ({"labels": {"x.k8s.io/a": "y"}}, "reserved prefixes"),
    ({"tags": {f"k{n}": "v" for n in range(51)}}, "less than or equal to 50"),
    ({"taints": [{"key": f"k{n}", "effect": "NO_SCHEDULE"} for n in range(51)]}, "50 taints"),
    ({"labels": {"a": "not valid!"}}, "Label value"),
    ({"nodeRole": "arn:aws:iam::123456789012:role/cluster"}, "ec2.amazonaws.com"),
    ({"nodeRole": "arn:aws:iam::123456789012:role/none"}, "cannot be found"),
    ({"version": "1.35"}, "cannot be newer"),
    ({"instanceTypes": ["trn1.32xlarge"], "subnets": 1}, "not supported in your requested Availability Zone"),
    ({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 5}}, "both"),
    ({"launchTemplate": {"name": "none"}}, "does not exist"),
    ({"amiType": "CUSTOM"}, "image id"),
    ({"releaseVersion": "1.33.13-20260930"}, "1.33.13-20260930 is not valid for kubernetes version 1.34"),
    ({"releaseVersion": "1.34.11-20991231"}, "is not valid for kubernetes version 1.34"),
    ({"releaseVersion": "1.64.0-6f4c2b1e"}, "is not valid for kubernetes version 1.34"),
    ({"releaseVersion": "v20260930"}, "is not valid for kubernetes version 1.34"),
    (
        {"amiType": "BOTTLEROCKET_x86_64_NVIDIA", "releaseVersion": "1.64.0"},
        "Requested release version 1.64.0 is not valid",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), BAD_GROUPS)
def test_a_node_group_that_eks_would_refuse_is_refused(
    clients: Clients, names: Names, change: Names, words: str
) -> None:
    change = dict(change)
    if isinstance(change.get("subnets"), int):
        change["subnets"] = names["subnets"][: change["subnets"]]
    code, message = refusal(clients, "create_nodegroup", **group_params(names, **change))
    assert code in ("InvalidParameterException", "InvalidRequestException")
    assert words in message


RESERVED = {"CapacityReservationTarget": {"CapacityReservationId": "cr-0123456789abcdef0"}}


@pytest.mark.parametrize(
    ("data", "more", "words"),
    [
        ({"IamInstanceProfile": {"Arn": "arn:aws:iam::1:instance-profile/x"}}, {}, "IamInstanceProfile"),
        ({"InstanceType": "g5.xlarge"}, {}, "both the launch template and the request"),
        ({"InstanceMarketOptions": {"MarketType": "spot"}}, {}, "capacityType"),
        ({}, {"diskSize": 50}, "Disk size must be specified within the launch template."),
        ({"EbsOptimized": True}, {"capacityType": "CAPACITY_BLOCK"}, "capacity-block"),
        ({"CapacityReservationSpecification": RESERVED}, {"capacityType": "SPOT"}, "exclude each other"),
        ({"InstanceMarketOptions": {"MarketType": "capacity-block"}}, {"capacityType": "SPOT"}, "MarketType"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "InterfaceType": "efa"}]}, {}, "does not support EFA"),
    ],
)  # fmt: skip
def test_a_launch_template_that_eks_would_refuse_is_refused(
    clients: Clients, names: Names, data: Names, more: Names, words: str
) -> None:
    data = data or {"MetadataOptions": {"HttpTokens": "required"}}
    launch_template = clients("ec2").create_launch_template(
        LaunchTemplateName=f"t{abs(hash(words))}", LaunchTemplateData=data
    )
    template = {"id": launch_template["LaunchTemplate"]["LaunchTemplateId"]}
    _, message = refusal(clients, "create_nodegroup", **group_params(names, launchTemplate=template, **more))
    assert words in message


@pytest.fixture(scope="module")
def scaler(clients: Clients, names: Names) -> str:
    """A role that may resize groups with the autoscaler's tag."""
    arn = role(clients, "scaler", "pods.eks.amazonaws.com")
    tag = {"StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/demo": "owned"}}
    actions = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    allow = {"Effect": "Allow", "Action": actions, "Resource": "*", "Condition": tag}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    clients("iam").put_role_policy(RoleName="scaler", PolicyName="scale", PolicyDocument=document)
    return arn


def seen(clients: Clients, pool: str) -> Names:
    """The group as the autoscaler sees it."""
    return next(group for group in view(clients, "groups")["groups"] if group["node_group"] == pool)


def test_a_node_group_grows_and_shrinks_only_with_the_rights_of_a_role(
    clients: Clients, names: Names, pool: str, scaler: str
) -> None:
    nodegroup = clients("eks").describe_nodegroup(clusterName="demo", nodegroupName=pool)["nodegroup"]
    assert nodegroup["status"] == "ACTIVE"
    group = seen(clients, pool)
    assert group["template"]["labels"]["pool"] == "gpu"
    assert group["tags"]["k8s.io/cluster-autoscaler/demo"] == "owned"
    with pytest.raises(Exception, match="not authorized to perform: autoscaling:SetDesiredCapacity"):
        view(clients, "set_desired", group=group["name"], count=2, role=names["pod_role"])
    view(clients, "set_desired", group=group["name"], count=2, role=scaler)

    machines = view(clients, "machines")["machines"]
    zones = {machine["labels"]["topology.kubernetes.io/zone"] for machine in machines}
    assert len(machines) == 2
    assert zones == {"us-west-2a", "us-west-2b"}, "zones are taken in turn, if they offer the type"
    one = machines[0]
    assert one["name"].startswith("ip-10-0-0-")
    assert one["provider_id"].startswith("aws:///us-west-2a/i-")
    assert one["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    assert one["devices"] == {"nvidia.com/gpu": 1}
    assert one["builtin_devices"] == {}, "the AL2023 NVIDIA image has no device plugin"
    assert one["capacity"]["pods"] == "58", "4 interfaces of 15 addresses"
    assert one["allocatable"]["cpu"] == "3920m", "80 of 4000 millicores are the kubelet's"

    view(clients, "terminate", group=group["name"], provider_id=one["provider_id"], role=scaler)
    left = view(clients, "machines")["machines"]
    assert [machine["provider_id"] for machine in left] == [machines[1]["provider_id"]]
    assert seen(clients, pool)["desired"] == 1


def test_no_capacity_is_reported_and_repaired_when_the_failure_ends(
    clients: Clients, names: Names, pool: str, scaler: str
) -> None:
    group = seen(clients, pool)["name"]
    clients.server.faults.add({"kind": "capacity", "instance_type": "g5.xlarge"})
    with pytest.raises(Exception, match="InsufficientInstanceCapacity"):
        view(clients, "set_desired", group=group, count=3, role=scaler)
    clients.server.faults.clear()
    view(clients, "set_desired", group=group, count=3, role=scaler)
    assert len(view(clients, "machines")["machines"]) == 3


def test_bottlerocket_advertises_its_cards_as_its_settings_share_them(clients: Clients, names: Names) -> None:
    lines = [
        "[settings.kubelet-device-plugins.nvidia]",
        'device-sharing-strategy = "time-slicing"',
        "[settings.kubelet-device-plugins.nvidia.time-slicing]",
        "replicas = 4",
        "rename-by-default = false",
    ]
    text = base64.b64encode("\n".join(lines).encode()).decode()
    launch_template = clients("ec2").create_launch_template(
        LaunchTemplateName="sliced", LaunchTemplateData={"UserData": text}
    )
    template = {"id": launch_template["LaunchTemplate"]["LaunchTemplateId"]}
    more: Names = {"nodegroupName": "sliced", "amiType": "BOTTLEROCKET_x86_64_NVIDIA"}
    clients("eks").create_nodegroup(**group_params(names, launchTemplate=template, **more))
    assert seen(clients, "sliced")["template"]["builtin_devices"] == {"nvidia.com/gpu": 4}
    clients("eks").delete_nodegroup(clusterName="demo", nodegroupName="sliced")


def test_a_node_group_keeps_an_older_release_and_never_goes_back(clients: Clients, names: Names) -> None:
    eks, place = clients("eks"), {"clusterName": "demo", "nodegroupName": "pinned"}
    eks.create_nodegroup(**group_params(names, nodegroupName="pinned", releaseVersion="1.34.8-20260801"))
    view(clients, "node_group_health", node_group="pinned", ready=0, issues=[])
    assert eks.describe_nodegroup(**place)["nodegroup"]["releaseVersion"] == "1.34.8-20260801"
    eks.update_nodegroup_version(**place, releaseVersion="1.34.9-20260901")
    assert eks.describe_nodegroup(**place)["nodegroup"]["releaseVersion"] == "1.34.9-20260901"
    view(clients, "node_group_health", node_group="pinned", ready=0, issues=[])
    _, message = refusal(clients, "update_nodegroup_version", **place, releaseVersion="1.34.8-20260801")
    assert "cannot go back from release 1.34.9-20260901" in message
    eks.delete_nodegroup(**place)
    for _ in range(2):
        view(clients, "machines")


def template(clients: Clients, name: str, **data: Any) -> dict[str, str]:
    """A launch template by its id; user data is text here."""
    if "UserData" in data:
        data["UserData"] = base64.b64encode(data["UserData"].encode()).decode()
    launch_template = clients("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    return {"id": launch_template["LaunchTemplate"]["LaunchTemplateId"]}


MIME = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="B"

--B
Content-Type: text/x-shellscript

#!/bin/sh
--B--
"""


@pytest.mark.parametrize(
    ("ami_type", "user_data", "words"),
    [
        (
            "AL2023_x86_64_NVIDIA",
            "#!/bin/sh\necho hello\n",
            "User data was not in the MIME multipart format.",
        ),
        ("AL2023_x86_64_NVIDIA", MIME, ""),
        ("BOTTLEROCKET_x86_64_NVIDIA", MIME, "TOML"),
        ("BOTTLEROCKET_x86_64_NVIDIA", "[settings.host-containers.admin]\nenabled = true\n", ""),
    ],
)
def test_a_group_whose_user_data_does_not_fit_its_image_is_made_and_fails(
    clients: Clients, names: Names, ami_type: str, user_data: str, words: str
) -> None:
    name = f"data-{abs(hash((ami_type, user_data)))}"
    launch = template(clients, name, UserData=user_data)
    params = group_params(names, nodegroupName=name[:60], amiType=ami_type, launchTemplate=launch)
    clients("eks").create_nodegroup(**params)
    nodegroup = clients("eks").describe_nodegroup(clusterName="demo", nodegroupName=name[:60])["nodegroup"]
    if words:
        assert nodegroup["status"] == "CREATE_FAILED", "EKS finds it after it took the request"
        assert nodegroup["health"]["issues"][0]["code"] == "Ec2LaunchTemplateInvalidConfiguration"
        assert words in nodegroup["health"]["issues"][0]["message"]
    else:
        assert nodegroup["status"] == "CREATING"
    clients("eks").delete_nodegroup(clusterName="demo", nodegroupName=name[:60])
    for _ in range(2):
        view(clients, "machines")
    assert name[:60] not in clients("eks").list_nodegroups(clusterName="demo")["nodegroups"]


def test_a_group_that_fails_stays_in_the_state_and_an_update_without_change_succeeds(
    clients: Clients, names: Names
) -> None:
    kind = table()["aws:eks/nodeGroup:NodeGroup"]
    inputs: Names = {
        "clusterName": "demo",
        "nodeGroupName": "failed",
        "nodeRoleArn": names["node_role"],
        "subnetIds": names["subnets"],
        "instanceTypes": ["g5.xlarge"],
        "amiType": "AL2023_x86_64_NVIDIA",
        "launchTemplate": {**template(clients, "failed", UserData="#!/bin/sh"), "version": "1"},
        "scalingConfig": {"minSize": 0, "maxSize": 4, "desiredSize": 0},
    }
    with pytest.raises(HalfMade, match="User data was not in the MIME multipart format") as failed:
        kind.create(clients.context(), inputs)
    assert failed.value.id == "demo:failed", "the provider sets the id before it waits"
    again = kind.update(clients.context(), failed.value.id, failed.value.state, inputs)
    assert again["status"] == "CREATE_FAILED", "nothing to change is no error"
    with pytest.raises(CloudError, match="not in Active state"):
        kind.update(clients.context(), "demo:failed", again, {**inputs, "labels": {"a": "b"}})
    clients("eks").delete_nodegroup(clusterName="demo", nodegroupName="failed")
    for _ in range(2):
        view(clients, "machines")
    assert kind.read(clients.context(), "demo:failed", again) is None, "so the next `up` creates it again"


def test_an_update_of_taints_updates_no_version(clients: Clients, names: Names) -> None:
    eks, kind = clients("eks"), table()["aws:eks/nodeGroup:NodeGroup"]
    named = {"launchTemplate": {**template(clients, "tainted", EbsOptimized=True), "version": "1"}}
    eks.create_nodegroup(**group_params(names, nodegroupName="tainted", **named))
    view(clients, "node_group_health", node_group="tainted", ready=0, issues=[])
    state = kind.read(clients.context(), "demo:tainted", {})
    assert state is not None
    assert "name" in state["launchTemplate"], "which no program states next to the id"
    taints = [{"key": "moving", "value": "true", "effect": "NO_SCHEDULE"}]
    inputs = {**{name: state[name] for name in ("clusterName", "nodeGroupName", "scalingConfig")}, **named}
    kind.update(clients.context(), "demo:tainted", state, {**inputs, "taints": taints})
    place = {"name": "demo", "nodegroupName": "tainted"}
    kinds = [
        eks.describe_update(**place, updateId=update)["update"]["type"]
        for update in eks.list_updates(**place)["updateIds"]
    ]
    assert kinds == ["ConfigUpdate"], "another one would replace the nodes"
    eks.delete_nodegroup(clusterName="demo", nodegroupName="tainted")
    for _ in range(2):
        view(clients, "machines")


def test_a_group_in_a_public_subnet_without_public_addresses_fails(clients: Clients, names: Names) -> None:
    ec2, subnet = clients("ec2"), names["subnets"][0]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=names["vpc"])
    table = ec2.create_route_table(VpcId=names["vpc"])["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    link = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    try:
        clients("eks").create_nodegroup(**group_params(names, nodegroupName="public"))
        nodegroup = clients("eks").describe_nodegroup(clusterName="demo", nodegroupName="public")["nodegroup"]
        issue = nodegroup["health"]["issues"][0]
        assert (nodegroup["status"], issue["code"]) == ("CREATE_FAILED", "Ec2SubnetInvalidConfiguration")
        assert issue["resourceIds"] == [subnet], "the two others lead nowhere"
        clients("eks").delete_nodegroup(clusterName="demo", nodegroupName="public")
    finally:
        ec2.disassociate_route_table(AssociationId=link)
        ec2.delete_route_table(RouteTableId=table)


def volume_key(clients: Clients, *actions: str) -> str:
    """A key that lets the account, and Auto Scaling's own role take these actions."""
    account = "arn:aws:iam::123456789012"
    service_role = f"{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    statements = [{"Effect": "Allow", "Principal": {"AWS": f"{account}:root"}, "Action": "kms:*"}]
    if actions:
        statements.append({"Effect": "Allow", "Principal": {"AWS": service_role}, "Action": list(actions)})  # type: ignore[dict-item]
    text = {"Version": "2012-10-17", "Statement": [{**entry, "Resource": "*"} for entry in statements]}
    return clients("kms").create_key(Policy=json.dumps(text))["KeyMetadata"]["Arn"]


@pytest.mark.parametrize(
    ("actions", "launched"),
    [((), 0), (("kms:Decrypt", "kms:GenerateDataKey*"), 0), (("kms:*",), 1)],
)
def test_machines_start_only_if_auto_scaling_may_use_the_key_of_their_volumes(
    clients: Clients, names: Names, actions: tuple[str, ...], launched: int
) -> None:
    name = f"volumes-{len(actions)}-{launched}"
    volume = {"VolumeSize": 50, "VolumeType": "gp3", "Encrypted": True}
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {**volume, "KmsKeyId": volume_key(clients, *actions)}}
    launch = template(clients, name, BlockDeviceMappings=[mapping])
    sizes = {"minSize": 1, "maxSize": 1, "desiredSize": 1}
    params = group_params(names, nodegroupName=name, launchTemplate=launch, scalingConfig=sizes)
    clients("eks").create_nodegroup(**params)
    assert len(view(clients, "machines")["machines"]) == launched
    view(clients, "node_group_health", node_group=name, ready=launched, issues=[])
    nodegroup = clients("eks").describe_nodegroup(clusterName="demo", nodegroupName=name)["nodegroup"]
    if not launched:
        issue = nodegroup["health"]["issues"][0]
        assert issue["code"] == "AsgInstanceLaunchFailures"
        assert "kms:CreateGrant" in issue["message"], "it says which right is missing"
    clients("eks").delete_nodegroup(clusterName="demo", nodegroupName=name)
    for _ in range(2):
        view(clients, "machines")


def test_a_node_takes_as_many_pods_as_its_user_data_says(clients: Clients, names: Names) -> None:
    flags = json.dumps({"spec": {"kubelet": {"flags": ["--max-pods=51"]}}})
    text = "\n".join(
        [
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="B"',
            "",
            "--B",
            "Content-Type: application/node.eks.aws",
            "",
            flags,
            "--B--",
            "",
        ]
    )
    launch_template = clients("ec2").create_launch_template(
        LaunchTemplateName="few-pods",
        LaunchTemplateData={"UserData": base64.b64encode(text.encode()).decode()},
    )
    template = {"id": launch_template["LaunchTemplate"]["LaunchTemplateId"]}
    sizes = {"minSize": 1, "maxSize": 1, "desiredSize": 1}
    params = group_params(names, nodegroupName="few-pods", launchTemplate=template, scalingConfig=sizes)
    clients("eks").create_nodegroup(**params)
    group = seen(clients, "few-pods")["name"]
    machines = [machine for machine in view(clients, "machines")["machines"] if machine["group"] == group]
    assert [machine["capacity"]["pods"] for machine in machines] == ["51"]
    clients("eks").delete_nodegroup(clusterName="demo", nodegroupName="few-pods")


@pytest.mark.parametrize(
    ("type_", "capacity", "launched", "words"),
    [
        ("m7i.large", "ON_DEMAND", 2, "VcpuLimitExceeded - You have requested more vCPU capacity than"),
        ("m7i.large", "SPOT", 2, "MaxSpotInstanceCountExceeded"),
        ("g5.xlarge", "ON_DEMAND", 0, "your current vCPU limit of 0 allows"),
    ],
)
def test_a_new_accounts_quota_ends_a_node_group_that_wants_more(
    clients: Clients, names: Names, type_: str, capacity: str, launched: int, words: str
) -> None:
    clients.server.faults.add({"kind": "new_account"})
    name = f"quota-{type_[0]}-{capacity.lower()}"
    sizes = {"minSize": 3, "maxSize": 3, "desiredSize": 3}
    params = group_params(
        names, nodegroupName=name, instanceTypes=[type_], capacityType=capacity, scalingConfig=sizes
    )
    try:
        clients("eks").create_nodegroup(**params)
        group = seen(clients, name)["name"]
        machines = [machine for machine in view(clients, "machines")["machines"] if machine["group"] == group]
        assert len(machines) == launched, "two of two vCPUs fit into five"
        view(clients, "node_group_health", node_group=name, ready=launched, issues=[])
        nodegroup = clients("eks").describe_nodegroup(clusterName="demo", nodegroupName=name)["nodegroup"]
        (issue,) = nodegroup["health"]["issues"]
        assert issue["code"] == "AsgInstanceLaunchFailures"
        assert words in issue["message"]
    finally:
        clients.server.faults.clear()
        clients("eks").delete_nodegroup(clusterName="demo", nodegroupName=name)
        for _ in range(2):
            view(clients, "machines")


def test_aws_node_attaches_interfaces_by_a_role_of_its_own_or_by_the_nodes(
    clients: Clients, names: Names
) -> None:
    iam, eks = clients("iam"), clients("eks")
    policy = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
    nodes = role(clients, "cni-nodes", "ec2.amazonaws.com")
    sizes = {"minSize": 1, "maxSize": 1, "desiredSize": 1}
    eks.create_nodegroup(**group_params(names, nodegroupName="cni", nodeRole=nodes, scalingConfig=sizes))
    group = seen(clients, "cni")["name"]

    def may() -> bool:
        return next(
            machine for machine in view(clients, "machines")["machines"] if machine["group"] == group
        )["network_rights"]

    assert not may(), "neither has the policy: the nodes never become Ready"
    iam.attach_role_policy(RoleName="cni-nodes", PolicyArn=policy)
    assert may()
    role_arn = role(clients, "cni-own", "pods.eks.amazonaws.com")
    place = {"clusterName": "demo", "namespace": "kube-system", "serviceAccount": "aws-node"}
    identity = eks.create_pod_identity_association(**place, roleArn=role_arn)["association"]["associationId"]
    assert not may(), "aws-node takes its own role, whatever the nodes have"
    iam.attach_role_policy(RoleName="cni-own", PolicyArn=policy)
    assert may()
    eks.delete_pod_identity_association(clusterName="demo", associationId=identity)
    eks.delete_nodegroup(clusterName="demo", nodegroupName="cni")
    for _ in range(2):
        view(clients, "machines")


def test_functions_return_the_node_groups_of_a_cluster_with_their_size(clients: Clients, pool: str) -> None:
    groups = ask(clients.context(), "aws:eks/getNodeGroups:getNodeGroups", clusterName="demo")
    assert pool in groups["names"]
    group = ask(
        clients.context(), "aws:eks/getNodeGroup:getNodeGroup", clusterName="demo", nodeGroupName=pool
    )
    (size,) = group["scalingConfigs"]
    assert (size["desiredSize"], size["maxSize"]) == (0, 4)
    assert group["taints"][0]["key"] == "nvidia.com/gpu"
    with pytest.raises(CloudError, match="couldn't find resource"):
        ask(clients.context(), "aws:eks/getNodeGroup:getNodeGroup", clusterName="demo", nodeGroupName="none")
