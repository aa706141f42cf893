"""Changes of managed node groups: of their configuration, and of their version, image and launch template."""

from __future__ import annotations

import time
from typing import Any, Final

from twin.aws.services.eks.operations import launch_templates, nodegroup_checks, references, scaling, updates
from twin.aws.services.eks.operations.errors import in_use, invalid
from twin.aws.services.eks.operations.store import Thing
from twin.aws.services.eks.operations.versions import minor, release_order

Params = dict[str, Any]


def update_config(eks: Any, params: Params) -> Params:
    """UpdateNodegroupConfig."""
    group = _settled(eks, params)
    changed: Params = {}
    if params.get("scalingConfig"):
        now = scaling.sizes(eks, group) or group.description["scalingConfig"]
        group.description["scalingConfig"] = nodegroup_checks.sizes({**now, **params["scalingConfig"]})
        scaling.resize(eks, group)
        sizes = group.description["scalingConfig"]
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
        group.description["updateConfig"] = nodegroup_checks.update_limits(params["updateConfig"])
        changed.update({name: str(v) for name, v in group.description["updateConfig"].items()})
    if params.get("nodeRepairConfig"):
        group.description["nodeRepairConfig"] = params["nodeRepairConfig"]
        changed["NodeRepairEnabled"] = str(params["nodeRepairConfig"].get("enabled")).lower()
    group.description["modifiedAt"] = round(time.time(), 3)
    eks.store.put(group)
    return updates.record(eks, group, "ConfigUpdate", changed)


def update_version(eks: Any, params: Params) -> Params:
    """UpdateNodegroupVersion: another version, image or template version; machines are replaced."""
    cluster = eks.cluster(params["clusterName"])
    group = _settled(eks, params)
    changed: Params = {}
    if params.get("launchTemplate"):
        _change_template(eks, group, params["launchTemplate"], changed)
    if group.description["amiType"] != "CUSTOM":
        version = nodegroup_checks.kubernetes_version(
            cluster, params.get("version") or group.description["version"], group.description["amiType"]
        )
        if minor(version) < minor(group.description["version"]):
            raise invalid(
                f"Nodegroup {group.name} cannot go back from {group.description['version']} to {version}"
            )
        release = nodegroup_checks.image_release(
            params.get("releaseVersion"), version, group.description["amiType"]
        )
        if version == group.description["version"] and release_order(release) < release_order(
            group.description["releaseVersion"]
        ):
            # API reference of UpdateNodegroupVersion.
            raise invalid(
                f"Nodegroup {group.name} cannot go back from release {group.description['releaseVersion']} "
                f"to {release}"
            )
        changed.update(Version=version, ReleaseVersion=release)
        group.description.update(version=version, releaseVersion=release)
    elif params.get("version") or params.get("releaseVersion"):
        raise invalid("You cannot specify the field version or releaseVersion when using custom AMIs.")
    group.description["modifiedAt"] = round(time.time(), 3)
    scaling.roll(eks, group)
    eks.store.put(group)
    return updates.record(eks, group, "VersionUpdate", changed)


def _settled(eks: Any, params: Params) -> Thing:
    group = nodegroup_checks.NODE_GROUP.find(eks, params)
    if group.status not in ("ACTIVE", "DEGRADED"):
        raise in_use(
            f"Nodegroup cannot be updated as it is currently not in Active state (it is in {group.status})",
            clusterName=group.cluster,
            nodegroupName=group.name,
        )
    return group


def _change_labels(group: Thing, labels: Params, changed: Params) -> None:
    added, removed = (
        nodegroup_checks.labels(labels.get("addOrUpdateLabels") or {}),
        labels.get("removeLabels") or [],
    )
    merged = {**group.description["labels"], **added}
    group.description["labels"] = {key: value for key, value in merged.items() if key not in removed}
    changed.update(LabelsToAdd=added, LabelsToRemove=removed)


def _change_taints(group: Thing, taints: Params, changed: Params) -> None:
    def both(taint: Params) -> tuple[Any, Any]:
        return taint.get("key"), taint.get("effect")

    added, removed = taints.get("addOrUpdateTaints") or [], taints.get("removeTaints") or []
    replaced = {both(taint) for taint in [*added, *removed]}
    remaining = [taint for taint in group.description["taints"] if both(taint) not in replaced]
    group.description["taints"] = nodegroup_checks.taints([*remaining, *added])
    changed.update(TaintsToAdd=added, TaintsToRemove=removed)


def _change_template(eks: Any, group: Thing, launch_template: Params, changed: Params) -> None:
    if not group.description.get("launchTemplate"):
        raise invalid(f"Nodegroup {group.name} was made without a launch template: it cannot be given one")
    template, data = launch_templates.load(eks, launch_template)
    assert template is not None  # noqa: S101 - something was asked for
    if template["id"] != group.description["launchTemplate"]["id"]:
        raise invalid("You cannot change the launch template of a node group, only its version")
    launch_templates.check(
        data,
        {
            "instanceTypes": group.description.get("instanceTypes"),
            "capacityType": group.description["capacityType"],
        },
    )
    if bool(data.get("InstanceType")) == bool(group.description.get("instanceTypes")):
        raise invalid(
            "The instance types must stay where they are: in the launch template or in the node group"
        )
    zones = {
        subnet.id: subnet.availability_zone
        for subnet in references.subnets(eks, group.description["subnets"])
    }
    types = [data["InstanceType"]] if data.get("InstanceType") else group.internal["types"]
    launch_templates.check_reservation(eks, data, types, zones, group.description["capacityType"])
    group.description["launchTemplate"] = template
    group.internal["data"] = launch_templates.plain(data)
    if data.get("InstanceType"):
        group.internal["types"] = [data["InstanceType"]]
    changed.update(LaunchTemplateId=template["id"], LaunchTemplateVersion=template["version"])


HANDLERS: Final = {
    "UpdateNodegroupConfig": update_config,
    "UpdateNodegroupVersion": update_version,
}
