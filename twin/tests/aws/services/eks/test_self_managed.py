"""Instances outside of node groups: which of them become Nodes, and as what."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import pytest
import yaml

from twin.aws.services.eks.operations import access
from twin.aws.services.eks.operations.self_managed import NotJoinedError, read
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.eks.scene import Names, view

IMAGE = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/{}/recommended/image_id"
TAINT = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
CLUSTER = {
    "name": "demo",
    "apiServerEndpoint": "https://127.0.0.1:6443",
    "certificateAuthority": "Q0E=",
    "cidr": "172.20.0.0/16",
}


def archive(*configurations: dict[str, Any]) -> str:
    """User data as Karpenter writes it: a MIME archive of NodeConfigs."""
    message = MIMEMultipart()
    for configuration in configurations:
        part = MIMEText(yaml.safe_dump(configuration), "plain")
        part.replace_header("Content-Type", "application/node.eks.aws")
        message.attach(part)
    return message.as_string()


def node_config(cluster: dict[str, Any] | None = None, **kubelet: Any) -> dict[str, Any]:
    settings = {
        "config": {"registerWithTaints": [TAINT], "maxPods": 42},
        "flags": ['--node-labels="karpenter.sh/nodepool=gpu,pool=gpu"'],
    }
    return {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {"cluster": {**CLUSTER, **(cluster or {})}, "kubelet": {**settings, **kubelet}},
    }


@pytest.fixture(scope="module", autouse=True)
def node_role(clients: Clients, names: Names) -> None:
    """The node role has its rights, a profile and an access entry."""
    iam = clients("iam")
    iam.attach_role_policy(RoleName="node", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy")
    iam.create_instance_profile(InstanceProfileName="nodes")
    iam.add_role_to_instance_profile(InstanceProfileName="nodes", RoleName="node")
    clients("eks").create_access_entry(clusterName="demo", principalArn=names["node_role"], type="EC2_LINUX")


@pytest.fixture(autouse=True)
def propagated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "PROPAGATION", 0.0)


@pytest.fixture
def launch(clients: Clients, names: Names) -> Iterator[Any]:
    """Launch an instance from a launch template by a fleet; all are terminated after the test."""
    ec2, instances, templates = clients("ec2"), [], []

    def launched(user_data: str, kind: str = "g6.xlarge", variant: str = "nvidia", **more: Any) -> str:
        image = clients("ssm").get_parameter(Name=IMAGE.format(variant))["Parameter"]["Value"]
        data = {
            "ImageId": image,
            "IamInstanceProfile": {"Name": "nodes"},
            "UserData": base64.b64encode(user_data.encode()).decode(),
            **more,
        }
        name = f"template-{len(templates)}-{kind}"
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        templates.append(name)
        answer = ec2.create_fleet(
            Type="instant",
            LaunchTemplateConfigs=[
                {
                    "LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "$Latest"},
                    "Overrides": [{"InstanceType": kind, "SubnetId": names["subnets"][0]}],
                }
            ],
            TargetCapacitySpecification={
                "TotalTargetCapacity": 1,
                "DefaultTargetCapacityType": "on-demand",
            },
        )
        (instance,) = answer["Instances"][0]["InstanceIds"]
        instances.append(instance)
        return instance

    yield launched
    ec2.terminate_instances(InstanceIds=instances)
    for name in templates:
        ec2.delete_launch_template(LaunchTemplateName=name)


def machines(clients: Clients) -> dict[str, Any]:
    """The machines that should be Nodes, by instance."""
    machines = view(clients, "machines")["machines"]
    return {machine["provider_id"].rpartition("/")[2]: machine for machine in machines}


def test_instance_with_a_node_config_joins_as_it_says(clients: Clients, launch: Any) -> None:
    instance = launch(archive(node_config()))
    machine = machines(clients)[instance]
    assert machine["labels"]["karpenter.sh/nodepool"] == "gpu"
    assert machine["labels"]["node.kubernetes.io/instance-type"] == "g6.xlarge"
    assert not any(label.startswith("eks.amazonaws.com/") for label in machine["labels"])
    assert machine["taints"] == [TAINT]
    assert machine["devices"] == {"nvidia.com/gpu": 1}, "by its type, once a device plugin runs"
    assert machine["capacity"]["pods"] == "42"
    name = clients("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert machine["name"] == name["PrivateDnsName"]


def test_terminated_instance_is_no_machine(clients: Clients, launch: Any) -> None:
    instance = launch(archive(node_config()))
    clients("ec2").terminate_instances(InstanceIds=[instance])
    assert instance not in machines(clients)


def test_image_without_drivers_has_no_devices(clients: Clients, launch: Any) -> None:
    instance = launch(archive(node_config()), variant="standard")
    assert machines(clients)[instance]["devices"] == {}


def test_disks_and_interfaces_are_those_of_the_launch_template(clients: Clients, launch: Any) -> None:
    efa = [
        {"DeviceIndex": min(card, 1), "NetworkCardIndex": card, "InterfaceType": "efa"} for card in range(4)
    ]
    configuration = node_config()
    configuration["spec"]["instance"] = {"localStorage": {"strategy": "RAID0"}}
    instance = launch(archive(configuration), "p4d.24xlarge", NetworkInterfaces=efa)
    machine = machines(clients)[instance]
    assert machine["devices"]["vpc.amazonaws.com/efa"] == 4
    assert int(machine["capacity"]["ephemeral-storage"].removesuffix("Ki")) > 7000 * 1024 * 1024


@pytest.mark.parametrize(
    "user_data",
    [
        "#!/bin/bash\necho hello",
        "",
        archive(node_config({"name": "other"})),
        archive(node_config({"apiServerEndpoint": "https://10.0.0.1"})),
        archive(node_config({"certificateAuthority": "T1RIRVI="})),
        archive(node_config(flags=["--node-labels=node-role.kubernetes.io/gpu=true"])),
    ],
    ids=["script", "none", "other cluster", "other endpoint", "other authority", "refused label"],
)
def test_instance_does_not_join_with_user_data_that_is_not_for_this_cluster(
    clients: Clients, launch: Any, user_data: str
) -> None:
    assert launch(user_data) not in machines(clients)


def test_instance_does_not_join_without_a_profile(clients: Clients, launch: Any) -> None:
    assert launch(archive(node_config()), IamInstanceProfile={}) not in machines(clients)


def test_instance_does_not_join_without_an_access_entry_of_nodes(
    clients: Clients, launch: Any, names: Names
) -> None:
    eks, arn = clients("eks"), names["node_role"]
    instance = launch(archive(node_config()))
    eks.delete_access_entry(clusterName="demo", principalArn=arn)
    assert instance not in machines(clients)
    eks.create_access_entry(clusterName="demo", principalArn=arn)
    assert instance not in machines(clients), "an entry of users admits no node"
    eks.delete_access_entry(clusterName="demo", principalArn=arn)
    eks.create_access_entry(clusterName="demo", principalArn=arn, type="EC2_LINUX")
    assert instance in machines(clients)


def test_instance_does_not_join_whose_role_may_not_describe_it(clients: Clients, launch: Any) -> None:
    iam, policy = clients("iam"), "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    instance = launch(archive(node_config()))
    iam.detach_role_policy(RoleName="node", PolicyArn=policy)
    assert instance not in machines(clients)
    iam.attach_role_policy(RoleName="node", PolicyArn=policy)
    assert instance in machines(clients)


def test_later_part_of_the_user_data_wins() -> None:
    first = node_config()
    first["spec"]["kubelet"] = {"config": {"maxPods": 10}, "flags": ["--node-labels=a=b,pool=old"]}
    config = read(archive(first, node_config()))
    assert config.pods == 42
    assert config.labels == {"a": "b", "karpenter.sh/nodepool": "gpu", "pool": "gpu"}


def test_node_config_that_is_no_yaml_is_reported() -> None:
    with pytest.raises(NotJoinedError, match="not valid"):
        read("kind: NodeConfig\nspec: [")


def test_pinned_image_has_a_parameter_of_its_own(clients: Clients) -> None:
    ssm = clients("ssm")
    newest = json.loads(
        ssm.get_parameter(Name=IMAGE.format("nvidia").removesuffix("/image_id"))["Parameter"]["Value"]
    )
    date = newest["release_version"].rpartition("-")[2]
    assert newest["image_name"] == f"amazon-eks-node-al2023-x86_64-nvidia-1.34-v{date}", "as Karpenter asks"
    pinned = IMAGE.format("nvidia").replace("recommended", newest["image_name"])
    assert ssm.get_parameter(Name=pinned)["Parameter"]["Value"] == newest["image_id"]
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name=pinned.replace(newest["image_name"], newest["image_name"][:-1] + "x"))
