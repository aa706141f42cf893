"""Managed node groups: creation and deletion, and the Auto Scaling group that EKS creates for one."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any, Final

from twin.aws.services.eks.operations import (
    access,
    launch_failures,
    launch_templates,
    nodegroup_checks,
    scaling,
    tags,
)
from twin.aws.services.eks.operations.errors import in_use, invalid
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]
_NAME: Final = re.compile(r"[0-9A-Za-z][A-Za-z0-9\-_]{0,62}")


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
    nodegroup_checks.check_role(eks, params["nodeRole"])
    template, data = launch_templates.load(eks, params.get("launchTemplate"))
    launch_templates.check(data, params)
    zones = nodegroup_checks.subnet_zones(eks, cluster, params["subnets"])
    types, ami_type = nodegroup_checks.machine_types(params, data)
    launch_templates.check_types(types, ami_type, zones, data)
    launch_templates.check_reservation(eks, data, types, zones, params.get("capacityType") or "ON_DEMAND")
    version = nodegroup_checks.creation_version(cluster, params.get("version"), ami_type)
    now = round(time.time(), 3)
    description: Params = {
        "nodegroupName": name,
        "nodegroupArn": eks.arn("nodegroup", cluster.name, name, str(uuid.uuid4())),
        "clusterName": cluster.name,
        "version": version,
        "releaseVersion": data.get("ImageId")
        or nodegroup_checks.image_release(params.get("releaseVersion"), version, ami_type),
        "createdAt": now,
        "modifiedAt": now,
        "status": "CREATING",
        "capacityType": params.get("capacityType") or "ON_DEMAND",
        "scalingConfig": nodegroup_checks.sizes(params.get("scalingConfig") or {}),
        "subnets": list(params["subnets"]),
        "amiType": ami_type,
        "nodeRole": params["nodeRole"],
        "labels": nodegroup_checks.labels(params.get("labels") or {}),
        "taints": nodegroup_checks.taints(params.get("taints") or []),
        "resources": {},
        "health": {"issues": []},
        "updateConfig": nodegroup_checks.update_limits(params.get("updateConfig")),
        "nodeRepairConfig": params.get("nodeRepairConfig") or {"enabled": False},
        "tags": tags.check(params.get("tags")),
    }
    if not data.get("InstanceType"):
        description["instanceTypes"] = types
    if template:
        description["launchTemplate"] = template
    else:
        description["diskSize"] = int(params.get("diskSize") or 20)
        if params.get("remoteAccess"):
            description["remoteAccess"] = params["remoteAccess"]
    unique = f"eks-{name}-{uuid.uuid4()}"
    group = Thing(
        "nodegroup",
        cluster.name,
        name,
        description,
        {"group": unique, "types": types, "data": launch_templates.plain(data)},
    )
    eks.store.put(group)
    access.ensure_nodes(eks, cluster, params["nodeRole"])
    return {"nodegroup": description}


def follow_up(eks: Any, group: Thing) -> None:
    """Make the Auto Scaling group of a new node group, or take away that of one that goes."""
    if group.status == "DELETING":
        if not group.internal.get("cleared"):
            scaling.clear(eks, group)
            group.internal["cleared"] = True
            eks.store.put(group)
    elif group.status != "CREATE_FAILED" and not group.description["resources"].get("autoScalingGroups"):
        issues = launch_failures.issues(eks, group)
        if issues:
            group.description.update(status="CREATE_FAILED", health={"issues": issues})
            eks.store.put(group)
            return
        scaling.make(eks, group)
        group.description["resources"] = {"autoScalingGroups": [{"name": group.internal["group"]}]}
        eks.store.put(group)


def describe(eks: Any, params: Params) -> Params:
    """DescribeNodegroup."""
    group = nodegroup_checks.NODE_GROUP.find(eks, params)
    if group.status != "DELETING":
        group.description["scalingConfig"] = scaling.sizes(eks, group) or group.description["scalingConfig"]
    return {"nodegroup": group.description}


def delete(eks: Any, params: Params) -> Params:
    """DeleteNodegroup. Its machines go at once; it is gone when the controller has seen that."""
    group = nodegroup_checks.NODE_GROUP.find(eks, params)
    if group.status == "DELETING":
        raise in_use(
            f"NodeGroup {group.name} is already being deleted",
            clusterName=group.cluster,
            nodegroupName=group.name,
        )
    group.description["status"] = "DELETING"
    eks.store.put(group)
    return {"nodegroup": group.description}


HANDLERS: Final = {
    "CreateNodegroup": create,
    "DescribeNodegroup": describe,
    "ListNodegroups": nodegroup_checks.NODE_GROUP.list_all,
    "DeleteNodegroup": delete,
}
