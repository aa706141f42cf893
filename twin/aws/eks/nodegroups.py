"""Managed node groups: what EKS asks of one, and the Auto Scaling group that it makes for one."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any, Final

from twin.aws import trust
from twin.aws.capacity import instance_type_info
from twin.aws.eks import access, facts, launch_faults, scaling, tags, templates, updates
from twin.aws.eks.errors import in_use, invalid, invalid_request, not_found
from twin.aws.eks.store import Thing
from twin.aws.eks.versions import (
    AMI_TYPES,
    VERSIONS,
    default_ami_type,
    minor,
    release_order,
    release_published,
    release_version,
)

Params = dict[str, Any]
EFFECTS: Final = ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")
_NAME: Final = re.compile(r"[0-9A-Za-z][A-Za-z0-9\-_]{0,62}")
_RESERVED: Final = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
_LABEL_NAME: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]")
_PREFIX: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def create(eks: Any, params: Params) -> Params:
    """CreateNodegroup."""
    cluster = eks.cluster(params["clusterName"], active=True)
    name = params["nodegroupName"]
    if not _NAME.fullmatch(name):
        raise invalid(
            f"nodegroupName {name!r}: 1 to 63 letters, digits, hyphens and underscores, no hyphen first"
        )
    if eks.store.get("nodegroup", cluster.name, name):
        raise in_use(
            f"NodeGroup already exists with name {name} and cluster name {cluster.name}",
            clusterName=cluster.name,
            nodegroupName=name,
        )
    _role(eks, params["nodeRole"])
    template, data = templates.load(eks, params.get("launchTemplate"))
    templates.check(data, params)
    zones = _zones(eks, cluster, params["subnets"])
    types, ami_type = _types(params, data)
    templates.check_types(types, ami_type, zones, data)
    templates.check_reservation(eks, data, types, zones, params.get("capacityType") or "ON_DEMAND")
    version = _version(cluster, params.get("version"), ami_type)
    now = round(time.time(), 3)
    shown: Params = {
        "nodegroupName": name,
        "nodegroupArn": eks.arn("nodegroup", cluster.name, name, str(uuid.uuid4())),
        "clusterName": cluster.name,
        "version": version,
        "releaseVersion": data.get("ImageId") or _release(params.get("releaseVersion"), version, ami_type),
        "createdAt": now,
        "modifiedAt": now,
        "status": "CREATING",
        "capacityType": params.get("capacityType") or "ON_DEMAND",
        "scalingConfig": _scaling(params.get("scalingConfig") or {}),
        "subnets": list(params["subnets"]),
        "amiType": ami_type,
        "nodeRole": params["nodeRole"],
        "labels": _labels(params.get("labels") or {}),
        "taints": _taints(params.get("taints") or []),
        "resources": {},
        "health": {"issues": []},
        "updateConfig": _update_config(params.get("updateConfig")),
        "nodeRepairConfig": params.get("nodeRepairConfig") or {"enabled": False},
        "tags": tags.check(params.get("tags")),
    }
    if not data.get("InstanceType"):
        shown["instanceTypes"] = types
    if template:
        shown["launchTemplate"] = template
    else:
        shown["diskSize"] = int(params.get("diskSize") or 20)
        if params.get("remoteAccess"):
            shown["remoteAccess"] = params["remoteAccess"]
    unique = f"eks-{name}-{uuid.uuid4()}"
    group = Thing(
        "nodegroup", cluster.name, name, shown, {"group": unique, "types": types, "data": _plain(data)}
    )
    eks.store.put(group)
    access.ensure_nodes(eks, cluster, params["nodeRole"])
    return {"nodegroup": shown}


def follow_up(eks: Any, group: Thing) -> None:
    """Make the Auto Scaling group of a new node group, or take away that of one that goes."""
    if group.status == "DELETING":
        if not group.kept.get("cleared"):
            scaling.clear(eks, group)
            group.kept["cleared"] = True
            eks.store.put(group)
    elif group.status != "CREATE_FAILED" and not group.shown["resources"].get("autoScalingGroups"):
        found = launch_faults.issues(eks, group)
        if found:
            group.shown.update(status="CREATE_FAILED", health={"issues": found})
            eks.store.put(group)
            return
        scaling.make(eks, group)
        group.shown["resources"] = {"autoScalingGroups": [{"name": group.kept["group"]}]}
        eks.store.put(group)


def describe(eks: Any, params: Params) -> Params:
    """DescribeNodegroup."""
    group = find(eks, params)
    if group.status != "DELETING":
        group.shown["scalingConfig"] = scaling.sizes(eks, group) or group.shown["scalingConfig"]
    return {"nodegroup": group.shown}


def every(eks: Any, params: Params) -> Params:
    """ListNodegroups."""
    cluster = eks.cluster(params["clusterName"])
    return {"nodegroups": [each.name for each in eks.store.every("nodegroup", cluster.name)]}


def delete(eks: Any, params: Params) -> Params:
    """DeleteNodegroup. Its machines go at once; it is gone when the controller has seen that."""
    group = find(eks, params)
    if group.status == "DELETING":
        raise in_use(
            f"NodeGroup {group.name} is already being deleted",
            clusterName=group.cluster,
            nodegroupName=group.name,
        )
    group.shown["status"] = "DELETING"
    eks.store.put(group)
    return {"nodegroup": group.shown}


def update_config(eks: Any, params: Params) -> Params:
    """UpdateNodegroupConfig."""
    group = _settled(eks, params)
    changed: Params = {}
    if params.get("scalingConfig"):
        now = scaling.sizes(eks, group) or group.shown["scalingConfig"]
        group.shown["scalingConfig"] = _scaling({**now, **params["scalingConfig"]})
        scaling.resize(eks, group)
        sizes = group.shown["scalingConfig"]
        changed.update(
            MinSize=str(sizes["minSize"]),
            MaxSize=str(sizes["maxSize"]),
            DesiredSize=str(sizes["desiredSize"]),
        )
    if params.get("labels"):
        _change_labels(group, params["labels"], changed)
    if params.get("taints"):
        _change_taints(group, params["taints"], changed)
    if params.get("updateConfig"):
        group.shown["updateConfig"] = _update_config(params["updateConfig"])
        changed.update({name: str(v) for name, v in group.shown["updateConfig"].items()})
    if params.get("nodeRepairConfig"):
        group.shown["nodeRepairConfig"] = params["nodeRepairConfig"]
        changed["NodeRepairEnabled"] = str(params["nodeRepairConfig"].get("enabled")).lower()
    group.shown["modifiedAt"] = round(time.time(), 3)
    eks.store.put(group)
    return updates.record(eks, group, "ConfigUpdate", changed)


def update_version(eks: Any, params: Params) -> Params:
    """UpdateNodegroupVersion: another version, image or template version; machines are replaced."""
    cluster = eks.cluster(params["clusterName"])
    group = _settled(eks, params)
    changed: Params = {}
    if params.get("launchTemplate"):
        _change_template(eks, group, params["launchTemplate"], changed)
    if group.shown["amiType"] != "CUSTOM":
        version = _version(cluster, params.get("version") or group.shown["version"], group.shown["amiType"])
        if minor(version) < minor(group.shown["version"]):
            raise invalid(f"Nodegroup {group.name} cannot go back from {group.shown['version']} to {version}")
        release = _release(params.get("releaseVersion"), version, group.shown["amiType"])
        if version == group.shown["version"] and release_order(release) < release_order(
            group.shown["releaseVersion"]
        ):
            # API reference of UpdateNodegroupVersion.
            raise invalid(
                f"Nodegroup {group.name} cannot go back from release {group.shown['releaseVersion']} to "
                f"{release}"
            )
        changed.update(Version=version, ReleaseVersion=release)
        group.shown.update(version=version, releaseVersion=release)
    elif params.get("version") or params.get("releaseVersion"):
        raise invalid("You cannot specify the field version or releaseVersion when using custom AMIs.")
    group.shown["modifiedAt"] = round(time.time(), 3)
    scaling.roll(eks, group)
    eks.store.put(group)
    return updates.record(eks, group, "VersionUpdate", changed)


def find(eks: Any, params: Params) -> Thing:
    """The node group that the parameters name."""
    cluster = eks.cluster(params["clusterName"])
    found = eks.store.get("nodegroup", cluster.name, params["nodegroupName"])
    if found is None:
        raise not_found(
            f"No node group found for name: {params['nodegroupName']}.",
            clusterName=cluster.name,
            nodegroupName=params["nodegroupName"],
        )
    return found


def _settled(eks: Any, params: Params) -> Thing:
    group = find(eks, params)
    if group.status not in ("ACTIVE", "DEGRADED"):
        raise in_use(
            f"Nodegroup cannot be updated as it is currently not in Active state (it is in {group.status})",
            clusterName=group.cluster,
            nodegroupName=group.name,
        )
    return group


def _role(eks: Any, arn: str) -> None:
    role = facts.role(eks, arn)
    if role is None:
        raise invalid(f"The role with arn {arn} cannot be found. (Service: Iam, Error Code: NoSuchEntity)")
    if not trust.lets(role, "ec2.amazonaws.com", None):
        raise invalid(
            "Following required service principals [ec2.amazonaws.com] were not found "
            "in the trust relationships "
            f"of nodeRole {arn}"
        )


def _zones(eks: Any, cluster: Thing, ids: list[str]) -> dict[str, str]:
    if not ids:
        raise invalid("Subnets must not be empty")
    found = facts.subnets(eks, ids, eks.world.region)
    vpc_id = cluster.shown["resourcesVpcConfig"]["vpcId"]
    for each in found:
        if each.vpc_id != vpc_id:
            raise invalid(
                f"Subnet {each.id} is in VPC {each.vpc_id}, the cluster {cluster.name} is in {vpc_id}"
            )
    return {each.id: each.availability_zone for each in found}


def _types(params: Params, data: Params) -> tuple[list[str], str]:
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
            architectures, {each for info in known for each in templates.devices(info)}
        )
    return types, ami_type


def _version(cluster: Thing, asked: str | None, ami_type: str) -> str:
    control = cluster.shown["version"]
    version = asked or control
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


def _release(requested: str | None, version: str, ami_type: str) -> str:
    if requested and not release_published(requested, version, ami_type):
        raise invalid(f"Requested release version {requested} is not valid for kubernetes version {version}.")
    return requested or release_version(version, ami_type)


def _scaling(asked: Params) -> Params:
    sizes = {
        "minSize": int(asked["minSize"]) if asked.get("minSize") is not None else 1,
        "maxSize": int(asked["maxSize"]) if asked.get("maxSize") is not None else 2,
    }
    desired = asked.get("desiredSize")
    sizes["desiredSize"] = (
        int(desired) if desired is not None else max(sizes["minSize"], 2 if not asked else 0)
    )
    least, most, wanted = sizes["minSize"], sizes["maxSize"], sizes["desiredSize"]
    if least > most:
        raise invalid(f"Minimum capacity {least} can't be greater than maximum size {most}")
    if wanted < least:
        raise invalid(f"Minimum capacity {least} can't be greater than desired size {wanted}")
    if wanted > most:
        raise invalid(f"Desired capacity {wanted} can't be greater than max size {most}")
    return sizes


def _labels(labels: dict[str, str]) -> dict[str, str]:
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


def _taints(taints: list[Params]) -> list[Params]:
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


def _update_config(asked: Params | None) -> Params:
    given = {name: value for name, value in (asked or {}).items() if value is not None}
    numbers = [name for name in ("maxUnavailable", "maxUnavailablePercentage") if given.get(name)]
    if len(numbers) > 1:
        raise invalid("You cannot specify both maxUnavailable and maxUnavailablePercentage")
    return given if numbers else {"maxUnavailable": 1, **given}


def _change_labels(group: Thing, asked: Params, changed: Params) -> None:
    added, removed = _labels(asked.get("addOrUpdateLabels") or {}), asked.get("removeLabels") or []
    held = {**group.shown["labels"], **added}
    group.shown["labels"] = {key: value for key, value in held.items() if key not in removed}
    changed.update(LabelsToAdd=added, LabelsToRemove=removed)


def _change_taints(group: Thing, asked: Params, changed: Params) -> None:
    def both(taint: Params) -> tuple[Any, Any]:
        return taint.get("key"), taint.get("effect")

    added, removed = asked.get("addOrUpdateTaints") or [], asked.get("removeTaints") or []
    replaced = {both(taint) for taint in [*added, *removed]}
    kept = [taint for taint in group.shown["taints"] if both(taint) not in replaced]
    group.shown["taints"] = _taints([*kept, *added])
    changed.update(TaintsToAdd=added, TaintsToRemove=removed)


def _change_template(eks: Any, group: Thing, asked: Params, changed: Params) -> None:
    if not group.shown.get("launchTemplate"):
        raise invalid(f"Nodegroup {group.name} was made without a launch template: it cannot be given one")
    template, data = templates.load(eks, asked)
    assert template is not None  # noqa: S101 - something was asked for
    if template["id"] != group.shown["launchTemplate"]["id"]:
        raise invalid("You cannot change the launch template of a node group, only its version")
    templates.check(
        data, {"instanceTypes": group.shown.get("instanceTypes"), "capacityType": group.shown["capacityType"]}
    )
    if bool(data.get("InstanceType")) == bool(group.shown.get("instanceTypes")):
        raise invalid(
            "The instance types must stay where they are: in the launch template or in the node group"
        )
    zones = {
        each.id: each.availability_zone
        for each in facts.subnets(eks, group.shown["subnets"], eks.world.region)
    }
    types = [data["InstanceType"]] if data.get("InstanceType") else group.kept["types"]
    templates.check_reservation(eks, data, types, zones, group.shown["capacityType"])
    group.shown["launchTemplate"] = template
    group.kept["data"] = _plain(data)
    if data.get("InstanceType"):
        group.kept["types"] = [data["InstanceType"]]
    changed.update(LaunchTemplateId=template["id"], LaunchTemplateVersion=template["version"])


def _plain(value: Any) -> Any:
    """moto's template data as plain JSON."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float)) else str(value)


OPERATIONS: Final = {
    "CreateNodegroup": create,
    "DescribeNodegroup": describe,
    "ListNodegroups": every,
    "DeleteNodegroup": delete,
    "UpdateNodegroupConfig": update_config,
    "UpdateNodegroupVersion": update_version,
}
