"""What EKS checks of a managed node group, when it is created and when it is changed."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.iam import trust
from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.aws.services.eks.operations import launch_templates, references
from twin.aws.services.eks.operations.errors import invalid
from twin.aws.services.eks.operations.kinds import Kind
from twin.aws.services.eks.operations.store import Thing
from twin.aws.services.eks.operations.versions import (
    AMI_TYPES,
    VERSIONS,
    default_ami_type,
    minor,
    release_published,
    release_version,
)
from twin.aws.validation import stated

Params = dict[str, Any]


NODE_GROUP: Final = Kind(
    "nodegroup", "nodegroupName", "nodegroup", "nodegroups", "No node group found for name: {name}."
)


def check_role(eks: Any, arn: str) -> None:
    """Refuse a role that does not exist, or that EC2 may not assume."""
    role = references.role(eks, arn)
    if role is None:
        raise invalid(f"The role with arn {arn} cannot be found. (Service: Iam, Error Code: NoSuchEntity)")
    if not trust.lets(role, "ec2.amazonaws.com", None):
        raise invalid(
            "Following required service principals [ec2.amazonaws.com] were not found "
            "in the trust relationships "
            f"of nodeRole {arn}"
        )


def subnet_zones(eks: Any, cluster: Thing, ids: list[str]) -> dict[str, str]:
    """Return subnet -> zone. Refuses subnets of another network than the cluster's."""
    if not ids:
        raise invalid("Subnets must not be empty")
    subnets = references.subnets(eks, ids)
    vpc_id = cluster.description["resourcesVpcConfig"]["vpcId"]
    for subnet in subnets:
        if subnet.vpc_id != vpc_id:
            raise invalid(
                f"Subnet {subnet.id} is in VPC {subnet.vpc_id}, the cluster {cluster.name} is in {vpc_id}"
            )
    return {other_subnet.id: other_subnet.availability_zone for other_subnet in subnets}


def machine_types(params: Params, data: Params) -> tuple[list[str], str]:
    """Return the instance types of a node group and its AMI type, with EKS's defaults. data: of its launch
    template."""
    types = list(params.get("instanceTypes") or [])
    if data.get("InstanceType"):
        types = [data["InstanceType"]]
    types = types or ["t3.medium"]
    ami_type = params.get("amiType")
    if data.get("ImageId"):
        ami_type = "CUSTOM"
    elif ami_type == "CUSTOM":
        raise invalid("amiType CUSTOM needs a launch template with an image id (ImageId)")
    if ami_type is None:
        known = [info for name in types if (info := instance_type_info(name))]
        architectures = {info["ProcessorInfo"]["SupportedArchitectures"][-1] for info in known}
        ami_type = default_ami_type(
            architectures, {device for info in known for device in launch_templates.devices(info)}
        )
    return types, ami_type


def kubernetes_version(cluster: Thing, requested: str | None, ami_type: str) -> str:
    """Return the minor version of the nodes; the default is the control plane's. Refuses one that is newer or
    more than three minor versions older."""
    control = cluster.description["version"]
    version = requested or control
    scope = {
        "version": version,
        "control": control,
        "ami_type": ami_type,
        "until": AMI_TYPES[ami_type].until,
        "behind": minor(control) - minor(version) if version in VERSIONS else 0,
        "known": version in VERSIONS,
        "supported": version not in VERSIONS or AMI_TYPES[ami_type].supports(version),
    }
    stated.check(__name__, "version", scope)
    return version


def creation_version(cluster: Thing, requested: str | None, ami_type: str) -> str:
    """Return the minor version of a new node group: the control plane's is "the only accepted specified
    value" (API reference of CreateNodegroup)."""
    control = cluster.description["version"]
    if requested and requested in VERSIONS and minor(requested) < minor(control):
        raise invalid(
            f"Nodegroup Kubernetes version {requested} is not supported: expected the cluster's, {control}"
        )
    return kubernetes_version(cluster, requested, ami_type)


def image_release(requested: str | None, version: str, ami_type: str) -> str:
    """Return the release of the image; the default is the newest of the minor version."""
    if requested and not release_published(requested, version, ami_type):
        raise invalid(f"Requested release version {requested} is not valid for kubernetes version {version}.")
    return requested or release_version(version, ami_type)


def sizes(scaling: Params) -> Params:
    """Return minimum, maximum and desired size, with EKS's defaults."""
    requested = {name: int(value) for name, value in scaling.items() if value is not None}
    least = requested.get("minSize", 1)
    sizes = {"minSize": least, "maxSize": 2, "desiredSize": max(least, 0 if scaling else 2), **requested}
    stated.check(__name__, "sizes", sizes)
    return sizes


def labels(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels. Refuses prefixes that EKS reserves and what Kubernetes does not accept."""
    stated.check(__name__, "labels", {"labels": [{"key": key, "value": labels[key]} for key in labels]})
    return dict(labels)


def taints(taints: list[Params]) -> list[Params]:
    """Return the taints without empty values. Refuses duplicates."""
    stated.check(__name__, "taints", {"taints": taints})
    return [{name: value for name, value in taint.items() if value is not None} for taint in taints]


def update_limits(requested: Params | None) -> Params:
    """Return how many nodes an update replaces at a time; the default is one."""
    limits = {name: value for name, value in (requested or {}).items() if value is not None}
    stated.check(__name__, "update_limits", limits)
    numbers = limits.get("maxUnavailable") or limits.get("maxUnavailablePercentage")
    return limits if numbers else {"maxUnavailable": 1, **limits}
