"""The resources of a GPU pool."""

import base64
import email
import json
import tomllib
from typing import Any

import pytest

from aiplatform.gpu_pool import GpuPool
from tests.components.aiplatform.pools import CLUSTER, NETWORK, offering
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, Registered, record

RESERVATION = "cr-0123456789abcdef0"
BLOCK = {"type": "reserved", "reservation_id": RESERVATION, "capacity_block": True}
T4 = {"accelerator": "t4", "count": 1, "name": "t4"}
H100 = {"accelerator": "h100", "count": 8, "name": "h100"}


def pool(answers: Any = None, **more: Any) -> Recording:
    """A pool named `gpu` with these arguments."""
    arguments: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "network": NETWORK, **T4, **more}
    return record(lambda: GpuPool("gpu", arguments), answers=answers)


def groups(recorded: Recording) -> dict[str, Registered]:
    return {group.name: group for group in recorded.all("aws:eks/nodeGroup:NodeGroup")}


def template(recorded: Recording, name: str) -> dict[str, Any]:
    return recorded.one("aws:ec2/launchTemplate:LaunchTemplate", name).inputs


def tags_for_autoscaler(recorded: Recording) -> dict[str, str]:
    result = [tag.inputs["tag"] for tag in recorded.all("aws:autoscaling/tag:Tag")]
    prefix = "k8s.io/cluster-autoscaler/node-template/resources/"
    assert all(tag["key"].startswith(prefix) and not tag["propagateAtLaunch"] for tag in result)
    return {tag["key"].removeprefix(prefix): tag["value"] for tag in result}


def text(recorded: Recording, name: str) -> str:
    return base64.b64decode(template(recorded, name)["userData"]).decode()


def test_the_logical_names_are_a_contract() -> None:
    recorded = pool(**{**H100, "capacity": [{**BLOCK, "zone": "euc1-az1"}, {"type": "spot"}]})
    assert recorded.names() == [
        "aiplatform:index:GpuPool gpu",
        "aws:autoscaling/tag:Tag gpu-reserved-bcdef0-efa",
        "aws:autoscaling/tag:Tag gpu-reserved-bcdef0-ephemeral-storage",
        "aws:autoscaling/tag:Tag gpu-reserved-bcdef0-hugepages-2Mi",
        "aws:autoscaling/tag:Tag gpu-reserved-bcdef0-pods",
        "aws:autoscaling/tag:Tag gpu-spot-efa",
        "aws:autoscaling/tag:Tag gpu-spot-ephemeral-storage",
        "aws:autoscaling/tag:Tag gpu-spot-hugepages-2Mi",
        "aws:autoscaling/tag:Tag gpu-spot-pods",
        "aws:ec2/launchTemplate:LaunchTemplate gpu-reserved-bcdef0",
        "aws:ec2/launchTemplate:LaunchTemplate gpu-spot",
        "aws:ec2/placementGroup:PlacementGroup gpu-placement",
        "aws:ec2/securityGroup:SecurityGroup gpu-efa",
        "aws:eks/nodeGroup:NodeGroup gpu-reserved-bcdef0",
        "aws:eks/nodeGroup:NodeGroup gpu-spot",
        "aws:iam/role:Role gpu-node",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment gpu-node-AmazonEC2ContainerRegistryPullOnly",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment gpu-node-AmazonEKSWorkerNodePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment gpu-node-AmazonEKS_CNI_Policy",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule gpu-efa-out",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule gpu-efa-in",
    ]


def test_every_child_has_the_pool_as_parent_and_outputs_come_last() -> None:
    recorded = pool()
    component = recorded.one("aiplatform:index:GpuPool")
    children = [resource for resource in recorded.resources if resource is not component]
    assert {child.parent for child in children} == {component.urn}
    assert component.outputs is not None, "register_outputs was called"
    assert component.outputs["resource"] == "nvidia.com/gpu"


def test_every_key_is_documented_and_other_languages_can_use_it() -> None:
    assert undocumented(GpuPool) == []


def test_the_outputs_survive_json() -> None:
    outputs = pool(**H100, capacity=[{"type": "spot"}]).one("aiplatform:index:GpuPool").outputs
    assert json.loads(json.dumps(outputs)) == outputs
    assert outputs is not None
    assert outputs["efa_interfaces"] == 32
    assert outputs["device_plugin"] == "nvidia"


def test_a_dev_pool_is_one_group_without_nodes_that_the_autoscaler_scales() -> None:
    recorded = pool(max=2)
    (group,) = groups(recorded).values()
    assert group.inputs["scalingConfig"] == {"minSize": 0, "maxSize": 2, "desiredSize": 0}
    assert group.ignore_changes == ("scalingConfig.desiredSize",), "or an `up` would undo its work"
    assert group.inputs["amiType"] == "AL2023_x86_64_NVIDIA"
    assert group.inputs["capacityType"] == "ON_DEMAND"
    assert group.inputs["instanceTypes"] == ["g4dn.xlarge"]
    assert group.inputs["subnetIds"] == [f"subnet-{zone}" for zone in ("euc1-az2", "euc1-az3", "euc1-az1")]
    assert group.inputs["version"] == "1.36", "nodes follow the cluster's version"
    assert group.inputs["nodeRepairConfig"] == {"enabled": True}
    assert group.inputs["nodeGroupNamePrefix"] == "t4-on-demand-", "a replacement gets another name"
    taint = {"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}
    assert group.inputs["taints"] == [taint]


def test_labels_are_those_of_schedulers_plugins_and_the_autoscaler() -> None:
    (group,) = groups(pool(labels={"team": "vision"})).values()
    assert group.inputs["labels"] == {
        "ai-platform/pool": "t4",
        "ai-platform/capacity": "on_demand",
        "ai-platform/accelerator": "t4",
        "ai-platform/accelerator-count": "1",
        "ai-platform/device-plugin": "nvidia",
        "nvidia.com/gpu.present": "true",
        "k8s.amazonaws.com/accelerator": "nvidia-t4",
        "team": "vision",
    }


def test_nodes_have_imdsv2_with_one_hop_and_an_encrypted_gp3_volume() -> None:
    resource = template(pool(disk_gib=200, tags={"owner": "ml"}), "gpu-on-demand")
    assert resource["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    (disk,) = resource["blockDeviceMappings"]
    assert disk["deviceName"] == "/dev/xvda"
    assert disk["ebs"]["encrypted"] == "true"
    assert (disk["ebs"]["volumeType"], disk["ebs"]["volumeSize"]) == ("gp3", 200)
    assert [entry["resourceType"] for entry in resource["tagSpecifications"]] == [
        "instance",
        "volume",
        "network-interface",
    ]
    assert all(entry["tags"]["owner"] == "ml" for entry in resource["tagSpecifications"]), (
        "costs have an owner"
    )
    assert "instanceType" not in resource, "EKS takes types from the group or the template, not both"
    assert "networkInterfaces" not in resource, "EKS attaches the cluster's security group itself"


def test_volumes_are_encrypted_by_the_clusters_key_where_it_has_one() -> None:
    key = "arn:aws:kms:eu-central-1:111122223333:key/volumes"
    for image in ("al2023", "bottlerocket"):
        resource = template(pool(cluster={**CLUSTER, "volume_key_arn": key}, image=image), "gpu-on-demand")
        assert {disk["ebs"]["kmsKeyId"] for disk in resource["blockDeviceMappings"]} == {key}
    (disk,) = template(pool(), "gpu-on-demand")["blockDeviceMappings"]
    assert "kmsKeyId" not in disk["ebs"], "AWS's own key then"


def test_bottlerocket_keeps_containers_on_its_second_volume() -> None:
    recorded = pool(image="bottlerocket")
    system, containers = template(recorded, "gpu-on-demand")["blockDeviceMappings"]
    assert system["deviceName"] == "/dev/xvda"
    assert system["ebs"]["encrypted"] == "true", "EC2 encrypts no device that a launch does not name"
    assert "volumeSize" not in system["ebs"], "as big as the image's snapshot"
    assert (containers["deviceName"], containers["ebs"]["volumeSize"]) == ("/dev/xvdb", 100)
    (group,) = groups(recorded).values()
    assert group.inputs["amiType"] == "BOTTLEROCKET_x86_64_NVIDIA"
    assert group.inputs["labels"]["ai-platform/device-plugin"] == "image", "its image has the plugin"


def test_the_instance_store_becomes_one_array_on_al2023() -> None:
    message = email.message_from_string(text(pool(), "gpu-on-demand"))
    (part,) = message.get_payload()  # type: ignore[misc]
    assert part.get_content_type() == "application/node.eks.aws"  # type: ignore[union-attr]
    config = json.loads(part.get_payload())  # type: ignore[union-attr,arg-type]
    assert config["apiVersion"] == "node.eks.aws/v1alpha1"
    assert config["spec"]["instance"]["localStorage"]["strategy"] == "RAID0"


def test_the_instance_store_becomes_one_array_on_bottlerocket() -> None:
    settings = tomllib.loads(text(pool(image="bottlerocket"), "gpu-on-demand"))["settings"]
    command = settings["bootstrap-commands"]["instance-storage"]
    assert command["mode"] == "always"
    assert command["commands"][0] == ["apiclient", "ephemeral-storage", "init"]


def test_without_the_instance_store_there_is_no_user_data_and_the_volume_counts() -> None:
    recorded = pool(instance_store="none", disk_gib=200)
    assert "userData" not in template(recorded, "gpu-on-demand")
    assert tags_for_autoscaler(recorded) == {"ephemeral-storage": "170Gi"}


def _pods(recorded: Recording) -> list[str]:
    message = email.message_from_string(text(recorded, "gpu-on-demand"))
    (part,) = message.get_payload()  # type: ignore[misc]
    spec = json.loads(part.get_payload())["spec"]  # type: ignore[union-attr,arg-type]
    return spec.get("kubelet", {}).get("flags", [])


def test_max_pods_with_efa_is_the_number_of_remaining_addresses() -> None:
    h100 = {"accelerator": "h100", "count": 8}
    assert _pods(pool(**h100)) == ["--max-pods=51"], "one interface of two, with 49 addresses for Pods"
    assert _pods(pool(**h100, efa=False)) == [], "EKS's number is right"
    assert _pods(pool(**h100, max_pods=250)) == ["--max-pods=250"], "addresses by prefixes are more"
    assert _pods(pool()) == []


def test_the_autoscaler_knows_the_max_pods_of_a_node() -> None:
    assert tags_for_autoscaler(pool(accelerator="h100", count=8))["pods"] == "51", "it would say 110"
    assert tags_for_autoscaler(pool(max_pods=20))["pods"] == "20"
    assert "pods" not in tags_for_autoscaler(pool())


def test_bottlerocket_sets_max_pods_in_its_settings() -> None:
    recorded = pool(accelerator="h100", count=8, image="bottlerocket")
    settings = tomllib.loads(text(recorded, "gpu-on-demand"))["settings"]
    assert settings["kubernetes"]["max-pods"] == 51


def test_an_update_evicts_pods_with_a_disruption_budget_only_with_force_update() -> None:
    (retained,) = groups(pool()).values()
    assert "forceUpdateVersion" not in retained.inputs
    (forced,) = groups(pool(force_update=True)).values()
    assert forced.inputs["forceUpdateVersion"] is True


@pytest.mark.parametrize(
    ("machine", "cards"),
    [
        ({"accelerator": "h100", "count": 8}, 32),
        ({"accelerator": "h200", "count": 8}, 16),
        ({"accelerator": "b200", "count": 8}, 8),
        ({"accelerator": "a100", "count": 8}, 4),
        ({"accelerator": "trainium2", "count": 16}, 16),
        ({"accelerator": "h100", "count": 1, "efa": True}, 1),
    ],
)
def test_efa_adds_an_interface_on_each_network_card_to_the_primary_one(
    machine: dict[str, Any], cards: int
) -> None:
    recorded = pool(**machine)
    own_policy, *efa = template(recorded, "gpu-on-demand")["networkInterfaces"]
    # EC2 user guide, "Maximize network bandwidth on Amazon EC2 instances with multiple network cards".
    assert (own_policy["networkCardIndex"], own_policy["deviceIndex"], own_policy["interfaceType"]) == (
        0,
        0,
        "interface",
    )
    assert [i["networkCardIndex"] for i in efa] == list(range(cards)), "one on each card"
    assert [i["deviceIndex"] for i in efa] == [1, *[0] * (cards - 1)], "card 0 has its device 0 already"
    assert {i["interfaceType"] for i in efa} == {"efa-only"}, "no IP address of the subnet is spent"
    assert own_policy["securityGroups"] == [CLUSTER["security_group_id"]], "the control plane reaches it"
    rule = recorded.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").inputs
    assert all(i["securityGroups"] == [rule["securityGroupId"]] for i in efa), "EFA's traffic and no other"


def test_the_efa_security_group_allows_all_traffic_to_and_from_itself() -> None:
    recorded = pool(**H100)
    for kind in (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    ):
        rule = recorded.one(kind).inputs
        assert rule["ipProtocol"] == "-1"
        assert rule["securityGroupId"] == rule["referencedSecurityGroupId"], "EFA wants the group named"


def test_a_pool_with_efa_is_in_one_zone_and_one_placement_group() -> None:
    recorded = pool(**H100, answers=offering(p5__48xlarge=("euc1-az3",)))
    (group,) = groups(recorded).values()
    assert group.inputs["subnetIds"] == ["subnet-euc1-az3"], "the only zone that offers it"
    placement = recorded.one("aws:ec2/placementGroup:PlacementGroup")
    assert placement.inputs["strategy"] == "cluster"
    assert template(recorded, "gpu-on-demand")["placement"]["groupName"] == placement.state["name"]


def test_resources_that_the_type_does_not_state_are_tags_for_the_autoscaler() -> None:
    assert tags_for_autoscaler(pool(**H100)) == {
        "vpc.amazonaws.com/efa": "32",
        "hugepages-2Mi": "10256Mi",
        "ephemeral-storage": "24065Gi",
        "pods": "51",
    }
    neuron = pool(accelerator="trainium", count=16, name="trn", efa=False)
    assert tags_for_autoscaler(neuron) == {
        "aws.amazon.com/neuron": "16",
        "aws.amazon.com/neuroncore": "32",
        "ephemeral-storage": "6016Gi",
    }


def test_neuron_pools_have_their_own_image_taint_and_plugin() -> None:
    (group,) = groups(pool(accelerator="inferentia2", count=1, name="inf2")).values()
    assert group.inputs["amiType"] == "AL2023_x86_64_NEURON"
    assert group.inputs["taints"][0]["key"] == "aws.amazon.com/neuron"
    assert group.inputs["labels"]["ai-platform/device-plugin"] == "neuron"
    assert "k8s.amazonaws.com/accelerator" not in group.inputs["labels"], (
        "the autoscaler would wait for nvidia.com/gpu for ever"
    )


def test_capacity_is_tried_in_its_order() -> None:
    recorded = pool(
        **H100, capacity=[{**BLOCK, "zone": "euc1-az1"}, {"type": "spot"}, {"type": "on_demand"}], min=1
    )
    outputs = recorded.one("aiplatform:index:GpuPool").outputs or {}
    result = [(group["capacity"], group["priority"]) for group in outputs["node_groups"]]
    assert result == [("reserved", 100), ("spot", 90), ("on_demand", 80)]
    assert outputs["node_groups"][0]["autoscaling_group"] == "eks-gpu-reserved-bcdef0-0123"
    minima = {name: group.inputs["scalingConfig"]["minSize"] for name, group in groups(recorded).items()}
    assert minima == {"gpu-reserved-bcdef0": 0, "gpu-spot": 1, "gpu-on-demand": 0}, (
        "nothing can stay in a block that has not begun"
    )
    subnets = {tuple(group.inputs["subnetIds"]) for group in groups(recorded).values()}
    assert subnets == {("subnet-euc1-az1",)}, "the pool follows its reservation's zone"


def test_a_capacity_block_is_requested_as_eks_requires() -> None:
    recorded = pool(**H100, capacity=[{**BLOCK, "zone": "euc1-az1"}])
    group = groups(recorded)["gpu-reserved-bcdef0"].inputs
    resource = template(recorded, "gpu-reserved-bcdef0")
    assert group["capacityType"] == "CAPACITY_BLOCK"
    assert "instanceTypes" not in group
    assert resource["instanceType"] == "p5.48xlarge", "the launch template states the type of a block"
    assert resource["instanceMarketOptions"] == {"marketType": "capacity-block"}
    target = {"capacityReservationTarget": {"capacityReservationId": RESERVATION}}
    assert resource["capacityReservationSpecification"] == target
    assert not recorded.all("aws:ec2/placementGroup:PlacementGroup"), "a Capacity Block has its own placement"


def test_a_capacity_block_keeps_its_version_and_template_while_others_follow() -> None:
    recorded = pool(**H100, capacity=[{**BLOCK, "zone": "euc1-az1"}, {"type": "spot"}])
    ignored = {name: set(group.ignore_changes) for name, group in groups(recorded).items()}
    size, version = "scalingConfig.desiredSize", {"version", "releaseVersion", "launchTemplate.version"}
    assert ignored["gpu-reserved-bcdef0"] == {size, *version}, "EKS upgrades a block's group at size 0 alone"
    assert ignored["gpu-spot"] == {size}


def test_an_on_demand_reservation_is_targeted() -> None:
    recorded = pool(capacity=[{"type": "reserved", "reservation_id": RESERVATION, "zone": "euc1-az3"}])
    group = groups(recorded)["gpu-reserved-bcdef0"].inputs
    resource = template(recorded, "gpu-reserved-bcdef0")
    assert group["capacityType"] == "ON_DEMAND"
    assert group["subnetIds"] == ["subnet-euc1-az3"]
    assert "instanceMarketOptions" not in resource
    assert resource["capacityReservationSpecification"]["capacityReservationTarget"] == {
        "capacityReservationId": RESERVATION
    }
    assert group["updateConfig"]["updateStrategy"] == "MINIMAL", "there is no second instance to launch"


def test_spot_takes_all_types_that_the_zones_offer() -> None:
    answers = offering(
        g4dn__xlarge=("euc1-az2", "euc1-az3"),
        g4dn__2xlarge=("euc1-az2", "euc1-az3", "euc1-az1"),
        g4dn__4xlarge=("euc1-az2",),
    )
    (group,) = groups(pool(capacity=[{"type": "spot"}], answers=answers)).values()
    assert group.inputs["instanceTypes"] == ["g4dn.xlarge", "g4dn.2xlarge"]
    assert group.inputs["subnetIds"] == ["subnet-euc1-az2", "subnet-euc1-az3"]


def test_spot_with_efa_uses_only_types_with_the_same_number_of_network_cards() -> None:
    recorded = pool(accelerator="h200", count=8, name="h200", capacity=[{"type": "spot"}])
    (group,) = groups(recorded).values()
    assert group.inputs["instanceTypes"] == ["p5en.48xlarge"], "p5e has 32 cards, p5en 16"


def test_time_slicing_is_a_label_that_the_plugin_reads_and_a_number_for_the_autoscaler() -> None:
    recorded = pool(sharing={"strategy": "time_slicing", "replicas": 4})
    (group,) = groups(recorded).values()
    assert group.inputs["labels"]["nvidia.com/device-plugin.config"] == "time-slicing-4"
    assert tags_for_autoscaler(recorded)["nvidia.com/gpu"] == "4"


def test_bottlerocket_slices_time_by_its_own_settings() -> None:
    recorded = pool(image="bottlerocket", sharing={"strategy": "time_slicing", "replicas": 4})
    plugin = tomllib.loads(text(recorded, "gpu-on-demand"))["settings"]["kubelet-device-plugins"]["nvidia"]
    assert plugin["device-sharing-strategy"] == "time-slicing"
    assert plugin["time-slicing"] == {"replicas": 4, "rename-by-default": False}


def test_mig_uses_bottlerocket_which_partitions_the_gpus() -> None:
    recorded = pool(**H100, sharing={"strategy": "mig", "profile": "1g.10gb"})
    (group,) = groups(recorded).values()
    assert group.inputs["amiType"] == "BOTTLEROCKET_x86_64_NVIDIA"
    assert group.inputs["labels"]["nvidia.com/mig.config"] == "all-1g.10gb"
    assert tags_for_autoscaler(recorded)["nvidia.com/gpu"] == "56", "8 cards of 7 slices"
    plugin = tomllib.loads(text(recorded, "gpu-on-demand"))["settings"]["kubelet-device-plugins"]["nvidia"]
    assert plugin["device-partitioning-strategy"] == "mig"
    assert plugin["mig"]["profile"] == {"h100.80gb": "1g.10gb"}


def test_a_shared_node_role_replaces_that_of_the_pool() -> None:
    shared = "arn:aws:iam::111122223333:role/acme-dev-node"
    recorded = pool(cluster={**CLUSTER, "node_role_arn": shared})
    assert not recorded.all("aws:iam/role:Role")
    assert groups(recorded)["gpu-on-demand"].inputs["nodeRoleArn"] == shared


def test_a_node_group_depends_on_the_permissions_of_its_nodes() -> None:
    recorded = pool()
    group = groups(recorded)["gpu-on-demand"]
    for attachment in recorded.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        assert recorded.depends(group, attachment), "and goes before them on destroy"


@pytest.mark.parametrize("name", ["a", "inference-l40s-spot1"])
def test_physical_names_stay_in_their_limits(name: str) -> None:
    capacity = [{"type": "reserved", "reservation_id": RESERVATION, "zone": "euc1-az1"}]
    recorded = pool(name=name, capacity=capacity)
    (group,) = groups(recorded).values()
    assert len(group.inputs["nodeGroupNamePrefix"]) + 26 <= 63
    assert len(recorded.one("aws:iam/role:Role").inputs["namePrefix"]) + 26 <= 64


CLAIMED = {"device_allocation": "dra", "min": 2, "max": 2}
DRA_TAINT = {"key": "ai-platform/device-allocation", "value": "dra", "effect": "NO_SCHEDULE"}


def test_nodes_whose_gpus_are_claimed_have_no_device_plugin_and_another_taint() -> None:
    (group,) = groups(pool(**CLAIMED)).values()
    labels = group.inputs["labels"]
    assert labels["ai-platform/device-allocation"] == "dra", "the driver selects it"
    assert labels["ai-platform/device-plugin"] == "dra", "the DaemonSet of the device plugin selects `nvidia`"
    assert labels["nvidia.com/gpu.deploy.operands"] == "false", "nor does the GPU operator install one"
    assert "k8s.amazonaws.com/accelerator" not in labels, "the autoscaler would wait for a device plugin"
    assert DRA_TAINT in group.inputs["taints"], "Pods that request nvidia.com/gpu tolerate that taint alone"
    size = group.inputs["scalingConfig"]
    assert (size["minSize"], size["desiredSize"], size["maxSize"]) == (2, 2, 2)


def test_quotas_count_claims_by_another_resource_and_without_a_topology() -> None:
    claimed = pool(**{**H100, **CLAIMED}).one("aiplatform:index:GpuPool").outputs
    requested = pool(**H100).one("aiplatform:index:GpuPool").outputs
    assert claimed is not None
    assert requested is not None
    assert (claimed["resource"], claimed["device_class"]) == ("ai-platform/claimed-gpu", "ai-platform-gpu")
    assert (requested["resource"], requested.get("device_class")) == ("nvidia.com/gpu", None)
    assert claimed["device_plugin"] == "dra"
    assert requested["topology_labels"]
    assert claimed["topology_labels"] == [], "Kueue's topologies do not count claimed devices"


def test_the_operator_installs_nothing_where_the_image_runs_a_device_plugin() -> None:
    for image, expected in (("bottlerocket", "false"), ("al2023", None)):
        (group,) = groups(pool(image=image)).values()
        assert group.inputs["labels"].get("nvidia.com/gpu.deploy.operands") == expected
