"""A node group's Auto Scaling group and the launch template that EKS makes for it, in moto."""

from __future__ import annotations

from typing import Any

from twin.aws.api_server.initial_state import image_id
from twin.aws.services.eks.operations.store import Thing
from twin.aws.services.eks.operations.versions import release_version

Params = dict[str, Any]


def make(eks: Any, group: Thing) -> None:
    """Make both, once."""
    intent = f"eks:{group.description['nodegroupArn']}"
    cluster = eks.cluster(group.cluster)
    name = template_name(group)
    eks.aws.call(
        "ec2",
        "create_launch_template",
        f"{intent}:template",
        LaunchTemplateName=name,
        LaunchTemplateData=_data(cluster, group),
        TagSpecifications=[
            {
                "ResourceType": "launch-template",
                "Tags": [
                    {"Key": "eks:cluster-name", "Value": group.cluster},
                    {"Key": "eks:nodegroup-name", "Value": group.name},
                ],
            }
        ],
    )
    sizes = group.description["scalingConfig"]
    eks.aws.call(
        "autoscaling",
        "create_auto_scaling_group",
        f"{intent}:group",
        AutoScalingGroupName=group.internal["group"],
        MinSize=sizes["minSize"],
        MaxSize=sizes["maxSize"],
        DesiredCapacity=sizes["desiredSize"],
        MixedInstancesPolicy=policy(group),
        VPCZoneIdentifier=",".join(group.description["subnets"]),
        TerminationPolicies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        CapacityRebalance=True,
        Tags=[
            {
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": True,
                "ResourceId": group.internal["group"],
                "ResourceType": "auto-scaling-group",
            }
            for key, value in {
                "eks:cluster-name": group.cluster,
                "eks:nodegroup-name": group.name,
                f"kubernetes.io/cluster/{group.cluster}": "owned",
                f"k8s.io/cluster-autoscaler/{group.cluster}": "owned",
                "k8s.io/cluster-autoscaler/enabled": "true",
            }.items()
        ],
    )


def clear(eks: Any, group: Thing) -> None:
    """Take both away, with all machines."""
    intent = f"eks:{group.description['nodegroupArn']}:delete"
    if of(eks, group):
        eks.aws.call(
            "autoscaling",
            "delete_auto_scaling_group",
            f"{intent}:group",
            AutoScalingGroupName=group.internal["group"],
            ForceDelete=True,
        )
    with eks.moto.lock:
        names = {
            launch_template.name for launch_template in eks.moto.backend("ec2").launch_templates.values()
        }
    if template_name(group) in names:
        eks.aws.call(
            "ec2", "delete_launch_template", f"{intent}:template", LaunchTemplateName=template_name(group)
        )


def resize(eks: Any, group: Thing) -> None:
    """Give the group the node group's sizes."""
    sizes = group.description["scalingConfig"]
    eks.aws.call(
        "autoscaling",
        "update_auto_scaling_group",
        AutoScalingGroupName=group.internal["group"],
        MinSize=sizes["minSize"],
        MaxSize=sizes["maxSize"],
        DesiredCapacity=sizes["desiredSize"],
        MixedInstancesPolicy=policy(group),
    )


def roll(eks: Any, group: Thing) -> None:
    """A new version of the template, and new machines from it."""
    cluster = eks.cluster(group.cluster)
    version = eks.aws.call(
        "ec2",
        "create_launch_template_version",
        LaunchTemplateName=template_name(group),
        LaunchTemplateData=_data(cluster, group),
    )["LaunchTemplateVersion"]["VersionNumber"]
    eks.aws.call(
        "ec2",
        "modify_launch_template",
        LaunchTemplateName=template_name(group),
        DefaultVersion=str(version),
    )
    old = [state.instance.id for state in instances(eks, group)]
    for instance in old:
        eks.aws.call(
            "autoscaling",
            "terminate_instance_in_auto_scaling_group",
            InstanceId=instance,
            ShouldDecrementDesiredCapacity=False,
        )


def of(eks: Any, group: Thing) -> Any | None:
    """moto's Auto Scaling group, or None."""
    with eks.moto.lock:
        return eks.moto.backend("autoscaling").autoscaling_groups.get(group.internal["group"])


def instances(eks: Any, group: Thing) -> list[Any]:
    """moto's states of the group's machines."""
    auto_scaling_group = of(eks, group)
    return list(auto_scaling_group.active_instances()) if auto_scaling_group else []


def sizes(eks: Any, group: Thing) -> Params | None:
    """The group's sizes as they are now: an autoscaler may have changed the desired one."""
    auto_scaling_group = of(eks, group)
    if auto_scaling_group is None:
        return None
    return {
        "minSize": auto_scaling_group.min_size,
        "maxSize": auto_scaling_group.max_size,
        "desiredSize": auto_scaling_group.desired_capacity,
    }


def template_name(group: Thing) -> str:
    """The name of the template that EKS makes."""
    return "eks-" + group.description["nodegroupArn"].rsplit("/", 1)[-1]


def policy(group: Thing) -> Params:
    """The group's mixed instances policy: the types in order, on demand or spot."""
    spot = group.description["capacityType"] == "SPOT"
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {
                "LaunchTemplateName": template_name(group),
                "Version": "$Default",
            },
            "Overrides": [{"InstanceType": type_} for type_ in group.internal["types"]],
        },
        "InstancesDistribution": {
            "OnDemandAllocationStrategy": "prioritized",
            "OnDemandBaseCapacity": 0,
            "OnDemandPercentageAboveBaseCapacity": 0 if spot else 100,
            "SpotAllocationStrategy": "price-capacity-optimized",
        },
    }


def image_of(group: Thing) -> str:
    """The id of the group's machine image. EC2 on the twin has the image of the newest release alone, which
    older releases share."""
    version, ami_type = group.description["version"], group.description["amiType"]
    custom_image = group.internal["data"].get("ImageId")
    return custom_image or image_id(version, ami_type, release_version(version, ami_type))


def _data(cluster: Thing, group: Thing) -> Params:
    data: Params = dict(group.internal["data"])
    data["ImageId"] = image_of(group)
    data.setdefault("InstanceType", group.internal["types"][0])
    cluster_group = cluster.description["resourcesVpcConfig"].get("clusterSecurityGroupId", "")
    cards = [dict(card) for card in data.get("NetworkInterfaces", [])]
    for card in cards:
        card.setdefault("Groups", [cluster_group])
    if cards:
        data["NetworkInterfaces"] = cards
    elif not data.get("SecurityGroupIds") and not data.get("SecurityGroups"):
        data["SecurityGroupIds"] = [cluster_group]
    if not group.description.get("launchTemplate"):
        data["BlockDeviceMappings"] = [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {"VolumeSize": group.description["diskSize"], "VolumeType": "gp3"},
            }
        ]
        data["MetadataOptions"] = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}
    tags: dict[str, dict[str, str]] = {"instance": {}}
    for specification in data.get("TagSpecifications", []):
        pairs = {tag["Key"]: tag["Value"] for tag in specification.get("Tags", [])}
        tags.setdefault(specification["ResourceType"], {}).update(pairs)
    tags["instance"] |= {"eks:cluster-name": group.cluster, "eks:nodegroup-name": group.name}
    data["TagSpecifications"] = [
        {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in pairs.items()]}
        for kind, pairs in tags.items()
    ]
    return data
