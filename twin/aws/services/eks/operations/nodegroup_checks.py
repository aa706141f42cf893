"""What EKS checks of a managed node group, when it is created and when it is changed."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.iam import trust
from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.aws.services.eks.operations import launch_templates, references
from twin.aws.services.eks.operations.errors import invalid, invalid_request, not_found
from twin.aws.services.eks.operations.store import Thing
from twin.aws.services.eks.operations.versions import (
    AMI_TYPES,
    VERSIONS,
    default_ami_type,
    minor,
    release_published,
    release_version,
)

Params = dict[str, Any]
EFFECTS: Final = ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")
_RESERVED: Final = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
_LABEL_NAME: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]")
_PREFIX: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def find(eks: Any, params: Params) -> Thing:
    """The node group that the parameters name."""
    cluster = eks.cluster(params["clusterName"])
    nodegroup = eks.store.get("nodegroup", cluster.name, params["nodegroupName"])
    if nodegroup is None:
        raise not_found(
            f"No node group found for name: {params['nodegroupName']}.",
            clusterName=cluster.name,
            nodegroupName=params["nodegroupName"],
        )
    return nodegroup


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
    subnets = references.subnets(eks, ids, eks.instance.region)
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
    if version not in VERSIONS:
        raise invalid(f"Requested Nodegroup version {version} is not a supported Kubernetes version")
    if minor(version) > minor(control):
        raise invalid(f"Nodegroup Kubernetes version {version} cannot be newer than the cluster's {control}")
    if minor(control) - minor(version) > 3:
        raise invalid(
            f"Nodegroup Kubernetes version {version} is more than three minor versions behind {control}"
        )
    if not AMI_TYPES[ami_type].supports(version):
        until = AMI_TYPES[ami_type].until
        raise invalid_request(
            f"Requested amiType {ami_type} is not supported for Kubernetes version "
            f"{version}: its last is {until}"
        )
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
    sizes = {
        "minSize": int(scaling["minSize"]) if scaling.get("minSize") is not None else 1,
        "maxSize": int(scaling["maxSize"]) if scaling.get("maxSize") is not None else 2,
    }
    desired = scaling.get("desiredSize")
    sizes["desiredSize"] = (
        int(desired) if desired is not None else max(sizes["minSize"], 2 if not scaling else 0)
    )
    least, most, wanted = sizes["minSize"], sizes["maxSize"], sizes["desiredSize"]
    if least > most:
        raise invalid(f"Minimum capacity {least} can't be greater than maximum size {most}")
    if wanted < least:
        raise invalid(f"Minimum capacity {least} can't be greater than desired size {wanted}")
    if wanted > most:
        raise invalid(f"Desired capacity {wanted} can't be greater than max size {most}")
    return sizes


def labels(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels. Refuses prefixes that EKS reserves and what Kubernetes does not accept."""
    for key, value in labels.items():
        if any(prefix in key for prefix in _RESERVED):
            raise invalid(f"Label cannot contain reserved prefixes [{', '.join(_RESERVED)}]: {key}")
        _label_key(key, "Label")
        if value and not _LABEL_NAME.fullmatch(value):
            raise invalid(
                f"Label value {value!r} of {key} is not valid: at most 63 letters, digits, '-', '_' and '.'"
            )
    return dict(labels)


def _label_key(key: str, what: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if not _LABEL_NAME.fullmatch(name) or (slash and not (_PREFIX.fullmatch(prefix) and len(prefix) <= 253)):
        raise invalid(
            f"{what} key {key!r} is not valid: an optional DNS prefix and '/', then at most 63 characters"
        )


def taints(taints: list[Params]) -> list[Params]:
    """Return the taints without empty values. Refuses duplicates."""
    if len(taints) > 50:
        raise invalid(f"At most 50 taints can be specified, got {len(taints)}")
    seen: set[tuple[str, str]] = set()
    for taint in taints:
        _label_key(taint.get("key") or "", "Taint")
        if taint.get("effect") not in EFFECTS:
            raise invalid(f"Taint effect {taint.get('effect')!r} is not one of {', '.join(EFFECTS)}")
        both = (taint["key"], taint["effect"])
        if both in seen:
            raise invalid(f"Duplicate taint key {both[0]} with effect {both[1]}")
        seen.add(both)
    return [{name: value for name, value in taint.items() if value is not None} for taint in taints]


def update_limits(requested: Params | None) -> Params:
    """Return how many nodes an update replaces at a time; the default is one."""
    limits = {name: value for name, value in (requested or {}).items() if value is not None}
    numbers = [name for name in ("maxUnavailable", "maxUnavailablePercentage") if limits.get(name)]
    if len(numbers) > 1:
        raise invalid("You cannot specify both maxUnavailable and maxUnavailablePercentage")
    return limits if numbers else {"maxUnavailable": 1, **limits}
