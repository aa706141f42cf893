"""EKS as its API is met by boto3, and its machines as the control plane sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.aws.fronts import Clients
from twin.aws import inventory

Names = dict[str, Any]


def role(clients: Clients, name: str, service: str) -> str:
    """A role that a service may take."""
    allow = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": service},
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    return clients("iam").create_role(RoleName=name, AssumeRolePolicyDocument=text)["Role"]["Arn"]


@pytest.fixture(scope="module")
def names(clients: Clients) -> Names:
    """A network, roles, and a cluster that is ACTIVE."""
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{zone}")[
            "Subnet"
        ]["SubnetId"]
        for n, zone in enumerate("abd")
    ]
    found: Names = {"vpc": vpc, "subnets": subnets}
    found["cluster_role"] = role(clients, "cluster", "eks.amazonaws.com")
    found["node_role"] = role(clients, "node", "ec2.amazonaws.com")
    found["pod_role"] = role(clients, "pod", "pods.eks.amazonaws.com")
    made = clients("eks").create_cluster(
        name="demo",
        version="1.34",
        roleArn=found["cluster_role"],
        resourcesVpcConfig={
            "subnetIds": subnets,
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
        },
        accessConfig={"authenticationMode": "API"},
        upgradePolicy={"supportType": "EXTENDED"},
    )["cluster"]
    assert made["status"] == "CREATING", "the controller makes it ACTIVE"
    view(clients, "cluster_ready", endpoint="https://127.0.0.1:6443", certificate_authority="Q0E=")
    return found


def view(clients: Clients, name: str, /, **body: Any) -> Any:
    """What the controller asks."""
    return clients.front.eks.view(name, body)


def refusal(clients: Clients, operation: str, **params: Any) -> tuple[str, str]:
    """The code and words of a refused call."""
    with pytest.raises(ClientError) as refused:
        getattr(clients("eks"), operation)(**params)
    error: Any = refused.value.response["Error"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    return error["Code"], error["Message"]


def test_a_cluster_has_what_eks_makes_for_it(clients: Clients, names: Names) -> None:
    cluster = clients("eks").describe_cluster(name="demo")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"] == "https://127.0.0.1:6443"
    assert cluster["identity"]["oidc"]["issuer"].startswith("https://oidc.eks.us-west-2.amazonaws.com/id/")
    group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    found = clients("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert found["GroupName"].startswith("eks-cluster-sg-demo-")
    assert found["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group, (
        "its members reach each other"
    )
    entries = clients("eks").list_access_entries(clusterName="demo")["accessEntries"]
    assert entries == ["arn:aws:iam::123456789012:role/platform-deployer"], "who made it is its administrator"


CLUSTER = {"version": "1.34"}
BAD_CLUSTERS: list[tuple[Names, str]] = [
    ({"version": "1.19"}, "unsupported Kubernetes version"),
    ({"roleArn": "arn:aws:iam::123456789012:role/none"}, "could not be assumed because it does not exist"),
    ({"subnets": 1}, "at least two different AZs"),
    ({"subnets": ["subnet-0123456789abcdef0"]}, "does not exist"),
    ({"network": {"publicAccessCidrs": ["10.0.0.0/8"]}}, "not allowed in publicAccessCidrs"),
    ({"network": {"publicAccessCidrs": ["1.2.3.4/33"]}}, "invalid in publicAccessCidrs"),
    ({"network": {"endpointPublicAccess": False}}, "Private and public endpoint access cannot be false"),
    ({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.0.0.0/20"}}, "overlaps"),
    ({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "8.8.0.0/20"}}, "must be within"),
    ({"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": "no-key"}}]}, "KMS key"),
    ({"logging": {"clusterLogging": [{"types": ["everything"], "enabled": True}]}}, "enum value set"),
    ({"name": "-bad"}, "regular expression pattern"),
    ({"tags": {"aws:x": "1"}}, "aws:"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), BAD_CLUSTERS)
def test_a_cluster_that_eks_would_refuse_is_refused(
    clients: Clients, names: Names, monkeypatch: pytest.MonkeyPatch, change: Names, words: str
) -> None:
    # As if there were none yet: the twin's own rule of one cluster must not answer first.
    every = clients.front.eks.store.every
    monkeypatch.setattr(
        clients.front.eks.store, "every", lambda kind, *a: [] if kind == "cluster" else every(kind, *a)
    )
    params: Names = {"name": "other", "version": "1.34", "roleArn": names["cluster_role"], **change}
    subnets = params.pop("subnets", names["subnets"])
    chosen = names["subnets"][:subnets] if isinstance(subnets, int) else subnets
    params["resourcesVpcConfig"] = {"subnetIds": chosen, **params.pop("network", {})}
    code, message = refusal(clients, "create_cluster", **params)
    assert (code, words in message) == ("InvalidParameterException", True), message


def test_a_second_cluster_is_refused_with_what_to_do(clients: Clients, names: Names) -> None:
    network = {"subnetIds": names["subnets"]}
    code, message = refusal(
        clients, "create_cluster", name="two", roleArn=names["cluster_role"], resourcesVpcConfig=network
    )
    assert code == "InvalidRequestException"
    assert "use another twin" in message
    code, message = refusal(
        clients, "create_cluster", name="demo", roleArn=names["cluster_role"], resourcesVpcConfig=network
    )
    assert (code, message) == ("ResourceInUseException", "Cluster already exists with name: demo")


def group_params(names: Names, **more: Any) -> Names:
    """A node group that is right, changed."""
    full: Names = {
        "clusterName": "demo",
        "nodegroupName": "gpu",
        "subnets": names["subnets"],
        "nodeRole": names["node_role"],
        "instanceTypes": ["g5.xlarge"],
        "scalingConfig": {"minSize": 0, "maxSize": 4, "desiredSize": 0},
        **more,
    }
    return {key: value for key, value in full.items() if value is not None}


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
    ({"labels": {"a": "not valid!"}}, "Label value"),
    ({"nodeRole": "arn:aws:iam::123456789012:role/cluster"}, "ec2.amazonaws.com"),
    ({"nodeRole": "arn:aws:iam::123456789012:role/none"}, "cannot be found"),
    ({"version": "1.35"}, "cannot be newer"),
    ({"instanceTypes": ["trn1.32xlarge"], "subnets": 1}, "not supported in your requested Availability Zone"),
    ({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 5}}, "both"),
    ({"launchTemplate": {"name": "none"}}, "does not exist"),
    ({"amiType": "CUSTOM"}, "image id"),
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


@pytest.mark.parametrize(
    ("data", "more", "words"),
    [
        ({"IamInstanceProfile": {"Arn": "arn:aws:iam::1:instance-profile/x"}}, {}, "IamInstanceProfile"),
        ({"InstanceType": "g5.xlarge"}, {}, "both the launch template and the request"),
        ({"InstanceMarketOptions": {"MarketType": "spot"}}, {}, "capacityType"),
        ({}, {"diskSize": 50}, "Disk size must be specified within the launch template."),
        ({"EbsOptimized": True}, {"capacityType": "CAPACITY_BLOCK"}, "capacity-block"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "InterfaceType": "efa"}]}, {}, "does not support EFA"),
    ],
)  # fmt: skip
def test_a_launch_template_that_eks_would_refuse_is_refused(
    clients: Clients, names: Names, data: Names, more: Names, words: str
) -> None:
    data = data or {"MetadataOptions": {"HttpTokens": "required"}}
    made = clients("ec2").create_launch_template(
        LaunchTemplateName=f"t{abs(hash(words))}", LaunchTemplateData=data
    )
    template = {"id": made["LaunchTemplate"]["LaunchTemplateId"]}
    _, message = refusal(clients, "create_nodegroup", **group_params(names, launchTemplate=template, **more))
    assert words in message


def test_a_node_group_grows_and_shrinks_only_with_the_rights_of_a_role(
    clients: Clients, names: Names
) -> None:
    eks = clients("eks")
    taints = [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]
    eks.create_nodegroup(**group_params(names, taints=taints, labels={"pool": "gpu"}))
    view(clients, "node_group_health", node_group="gpu", ready=0, issues=[])
    assert eks.describe_nodegroup(clusterName="demo", nodegroupName="gpu")["nodegroup"]["status"] == "ACTIVE"
    group = view(clients, "groups")["groups"][0]
    assert group["template"]["labels"]["pool"] == "gpu"
    assert group["tags"]["k8s.io/cluster-autoscaler/demo"] == "owned"
    with pytest.raises(Exception, match="not authorized to perform: autoscaling:SetDesiredCapacity"):
        view(clients, "set_desired", group=group["name"], count=2, role=names["pod_role"])
    tag = {"StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/demo": "owned"}}
    actions = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    allow = {"Effect": "Allow", "Action": actions, "Resource": "*", "Condition": tag}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    clients("iam").put_role_policy(RoleName="pod", PolicyName="scale", PolicyDocument=document)
    view(clients, "set_desired", group=group["name"], count=2, role=names["pod_role"])

    machines = view(clients, "machines")["machines"]
    zones = {each["labels"]["topology.kubernetes.io/zone"] for each in machines}
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

    view(clients, "terminate", group=group["name"], provider_id=one["provider_id"], role=names["pod_role"])
    left = view(clients, "machines")["machines"]
    assert [each["provider_id"] for each in left] == [machines[1]["provider_id"]]
    assert view(clients, "groups")["groups"][0]["desired"] == 1


def test_no_capacity_is_told_and_healed_when_the_fault_ends(clients: Clients, names: Names) -> None:
    group = view(clients, "groups")["groups"][0]["name"]
    clients.front.faults.add({"kind": "capacity", "instance_type": "g5.xlarge"})
    with pytest.raises(Exception, match="InsufficientInstanceCapacity"):
        view(clients, "set_desired", group=group, count=3, role=names["pod_role"])
    clients.front.faults.clear()
    view(clients, "set_desired", group=group, count=3, role=names["pod_role"])
    assert len(view(clients, "machines")["machines"]) == 3


def test_add_ons_have_versions_configuration_and_state(clients: Clients, names: Names) -> None:
    eks = clients("eks")
    offered = eks.describe_addon_versions(addonName="vpc-cni", kubernetesVersion="1.34")["addons"][0]
    newest = offered["addonVersions"][0]["addonVersion"]
    addon = {"clusterName": "demo", "addonName": "vpc-cni"}
    _, message = refusal(clients, "create_addon", **addon, addonVersion="v0.1.0")
    assert "Addon version specified is not supported" in message
    _, message = refusal(
        clients, "create_addon", **addon, configurationValues='{"enableNetworkPolcy": "true"}'
    )
    assert "enableNetworkPolcy" in message
    _, message = refusal(clients, "create_addon", clusterName="demo", addonName="vpc-cmi")
    assert message == "Addon vpc-cmi specified is not supported"
    eks.create_addon(**addon, addonVersion=newest, configurationValues='{"enableNetworkPolicy": "true"}')
    assert refusal(clients, "create_addon", **addon) == ("ResourceInUseException", "Addon already exists.")
    assert view(clients, "addons")["addons"][0]["configuration"] == {"enableNetworkPolicy": "true"}
    view(clients, "addon_status", name="vpc-cni", status="ACTIVE", issues=[])
    assert eks.describe_addon(**addon)["addon"]["status"] == "ACTIVE"
    eks.delete_addon(**addon)
    view(clients, "addon_status", name="vpc-cni", status="GONE", issues=[])
    assert eks.list_addons(clusterName="demo")["addons"] == []


def test_access_entries_and_pod_identities_need_what_exists(clients: Clients, names: Names) -> None:
    eks = clients("eks")
    _, message = refusal(
        clients, "create_access_entry", clusterName="demo", principalArn="arn:aws:iam::123456789012:role/none"
    )
    assert "invalid principal" in message
    entry = {"clusterName": "demo", "principalArn": names["pod_role"]}
    eks.create_access_entry(**entry, kubernetesGroups=["viewers"])
    policy = {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"}
    eks.associate_access_policy(**entry, **policy, accessScope={"type": "namespace", "namespaces": ["a"]})
    assert len(eks.list_associated_access_policies(**entry)["associatedAccessPolicies"]) == 1
    eks.delete_access_entry(**entry)
    assert names["node_role"] in eks.list_access_entries(clusterName="demo")["accessEntries"], (
        "its nodes get in"
    )
    binding = {"clusterName": "demo", "namespace": "kube-system", "serviceAccount": "autoscaler"}
    _, message = refusal(clients, "create_pod_identity_association", **binding, roleArn=names["node_role"])
    assert "pods.eks.amazonaws.com" in message
    made = eks.create_pod_identity_association(**binding, roleArn=names["pod_role"])["association"]
    asked = {"namespace": "kube-system", "service_account": "autoscaler"}
    assert view(clients, "workload_role", **asked)["role"] == names["pod_role"]
    eks.delete_pod_identity_association(clusterName="demo", associationId=made["associationId"])
    assert view(clients, "workload_role", **asked)["role"] is None


def test_a_token_is_checked_to_its_signature(clients: Clients, names: Names) -> None:
    import base64

    from botocore.signers import RequestSigner

    sts = clients("sts")
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        "us-west-2",
        "sts",
        "v4",
        sts._request_signer._credentials,
        sts.meta.events,
    )

    def token(cluster: str) -> str:
        request = {
            "method": "GET",
            "url": "https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        }
        url = signer.generate_presigned_url(request, "GetCallerIdentity", 60)
        return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")

    found = view(clients, "authenticate", token=token("demo"))["principal"]
    assert found["username"] == "arn:aws:sts::123456789012:assumed-role/platform-deployer/twin"
    assert found["policies"] == [["AmazonEKSClusterAdminPolicy", []]]
    assert view(clients, "authenticate", token=token("other"))["principal"] is None, "another cluster's token"
    assert view(clients, "authenticate", token=token("demo")[:-6])["principal"] is None, "a broken signature"
    assert view(clients, "authenticate", token="k8s-aws-v1.bm9uc2Vuc2U")["principal"] is None


def test_versions_go_up_one_at_a_time(clients: Clients, names: Names) -> None:
    _, message = refusal(clients, "update_cluster_version", name="demo", version="1.36")
    assert message == "Unsupported Kubernetes minor version update from 1.34 to 1.36"
    update = clients("eks").update_cluster_version(name="demo", version="1.35")["update"]
    done = clients("eks").describe_update(name="demo", updateId=update["id"])["update"]
    assert done["status"] == "Successful"
    assert clients("eks").describe_cluster(name="demo")["cluster"]["version"] == "1.35"


def test_a_cluster_goes_last_and_leaves_nothing(clients: Clients, names: Names) -> None:
    eks, ec2 = clients("eks"), clients("ec2")
    assert refusal(clients, "delete_cluster", name="demo") == (
        "ResourceInUseException",
        "Cluster has nodegroups attached",
    )
    eks.delete_nodegroup(clusterName="demo", nodegroupName="gpu")
    assert view(clients, "machines")["machines"] == []
    view(clients, "machines")
    assert eks.list_nodegroups(clusterName="demo")["nodegroups"] == []
    eks.update_cluster_config(name="demo", deletionProtection=True)
    assert "deletion protection" in refusal(clients, "delete_cluster", name="demo")[1]
    eks.update_cluster_config(name="demo", deletionProtection=False)
    eks.delete_cluster(name="demo")
    view(clients, "cluster_gone")
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        ec2.delete_launch_template(LaunchTemplateId=template["LaunchTemplateId"])
    for subnet in names["subnets"]:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=names["vpc"])
    clients("iam").delete_role_policy(RoleName="pod", PolicyName="scale")
    for name in ("cluster", "node", "pod"):
        clients("iam").delete_role(RoleName=name)
    assert inventory.of(clients.front) == {}
