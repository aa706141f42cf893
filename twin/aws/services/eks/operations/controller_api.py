"""The API of the controller, `/_twin/view/...`; its client is twin/aws/cloud_client.py."""

from __future__ import annotations

import time
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.eks.operations import (
    addons,
    clusters,
    node_objects,
    pod_identity,
    scaling,
    self_managed,
)
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]
_PATIENCE: Final = 15.0
"""Seconds that a new node group waits for machines that are not there before it fails."""


def cluster(eks: Any, _: Params) -> Params:
    """The one cluster."""
    known_clusters = eks.store.every("cluster")
    if not known_clusters:
        return {"cluster": None}
    description = known_clusters[0].description
    seen = {
        "name": known_clusters[0].name,
        "status": description["status"],
        "version": description["version"],
        "uid": f"{description['arn']} {description['createdAt']}",
        "service_cidr": description["kubernetesNetworkConfig"].get("serviceIpv4Cidr", ""),
        "issuer": description["identity"]["oidc"]["issuer"],
        "self_managed_addons": known_clusters[0].internal.get("self_managed_addons", False),
    }
    return {"cluster": seen}


def cluster_ready(eks: Any, body: Params) -> Params:
    """CREATING becomes ACTIVE; a restarted control plane may have another endpoint."""
    for cluster in eks.store.every("cluster"):
        if cluster.status in ("CREATING", "ACTIVE"):
            cluster.description.update(
                status="ACTIVE",
                endpoint=body["endpoint"],
                certificateAuthority={"data": body["certificate_authority"]},
            )
            eks.store.put(cluster)
    return {}


def cluster_gone(eks: Any, _: Params) -> Params:
    """DELETING ends."""
    for cluster in eks.store.every("cluster"):
        if cluster.status == "DELETING":
            clusters.gone(eks, cluster)
    return {}


def machine_list(eks: Any, _: Params) -> Params:
    """The machines that should be Nodes. Groups that wait for machines ask for them again."""
    machines: list[Params] = []
    for group in eks.store.every("nodegroup"):
        if group.status == "DELETING":
            _forget(eks, group)
            continue
        _ask_again(eks, group)
        machines += node_objects.every(eks, group)
    for one in eks.store.every("cluster"):
        if one.status == "ACTIVE":
            machines += self_managed.every(eks, one)
    return {"machines": machines}


def groups(eks: Any, _: Params) -> Params:
    """The groups that can grow."""
    groups: list[Params] = []
    for group in eks.store.every("nodegroup"):
        auto_scaling_group = scaling.of(eks, group)
        if auto_scaling_group is None or group.status == "DELETING":
            continue
        groups.append(
            {
                "name": group.internal["group"],
                "minimum": auto_scaling_group.min_size,
                "maximum": auto_scaling_group.max_size,
                "desired": auto_scaling_group.desired_capacity,
                "template": node_objects.template(eks, group),
                "tags": {tag["Key"]: tag["Value"] for tag in auto_scaling_group.tags},
                "node_group": group.name,
            }
        )
    return {"groups": groups}


def node_group_health(eks: Any, body: Params) -> Params:
    """How many nodes are Ready: the status follows."""
    for group in eks.store.every("nodegroup"):
        if group.name != body["node_group"]:
            continue
        if group.status == "DELETING":
            _forget(eks, group)
            continue
        issues = [
            {"code": "NodeCreationFailure", "message": text, "resourceIds": []} for text in body["issues"]
        ]
        auto_scaling_group = scaling.of(eks, group)
        shortage = getattr(auto_scaling_group, "twin_shortage", "") if auto_scaling_group else ""
        wanted = auto_scaling_group.desired_capacity if auto_scaling_group else 0
        if shortage and len(scaling.instances(eks, group)) < wanted:
            resources = [group.internal["group"]]
            issues.append(
                {"code": "AsgInstanceLaunchFailures", "message": shortage, "resourceIds": resources}
            )
        _settle(eks, group, body["ready"], wanted, issues)
    return {}


def set_desired(eks: Any, body: Params) -> Params:
    """SetDesiredCapacity with the rights of a role. A shortage lowers the number again, as autoscalers do."""
    group, auto_scaling_group = _allowed(eks, body, "SetDesiredCapacity")
    count = int(body["count"])
    if not auto_scaling_group.min_size <= count <= auto_scaling_group.max_size:
        edge = "above the maximum" if count > auto_scaling_group.max_size else "below the minimum"
        raise Refusal(
            "ValidationError",
            f"New SetDesiredCapacity value {count} is {edge} value for the AutoScalingGroup.",
        )
    _desire(eks, group, count)
    active = len(scaling.instances(eks, group))
    if active < count:
        shortage = auto_scaling_group.twin_shortage or "InsufficientInstanceCapacity"
        _desire(eks, group, max(active, auto_scaling_group.min_size))
        auto_scaling_group.twin_shortage = shortage
        raise Refusal("InsufficientInstanceCapacity", shortage, 409)
    return {}


def terminate(eks: Any, body: Params) -> Params:
    """TerminateInstanceInAutoScalingGroup with the rights of a role; the desired number falls by one."""
    group, auto_scaling_group = _allowed(eks, body, "TerminateInstanceInAutoScalingGroup")
    instance = body["provider_id"].rsplit("/", 1)[-1]
    if instance not in [state.instance.id for state in scaling.instances(eks, group)]:
        return {}
    if auto_scaling_group.desired_capacity - 1 < auto_scaling_group.min_size:
        raise Refusal(
            "ValidationError",
            f"Currently, desiredSize equals minSize ({auto_scaling_group.min_size}). Terminating "
            f"instance without replacement "
            f"will violate group's min size constraint.",
        )
    eks.aws.call(
        "autoscaling",
        "terminate_instance_in_auto_scaling_group",
        InstanceId=instance,
        ShouldDecrementDesiredCapacity=True,
    )
    return {}


def addon_list(eks: Any, _: Params) -> Params:
    """The add-ons asked for."""
    return {"addons": [addons.seen(addon) for addon in eks.store.every("addon")]}


def addon_status(eks: Any, body: Params) -> Params:
    """What became of an add-on."""
    addons.settle(eks, body["name"], body["status"], body["issues"])
    return {}


def workload_role(eks: Any, body: Params) -> Params:
    """The role of a service account."""
    for cluster in eks.store.every("cluster"):
        association = pod_identity.find(eks, cluster.name, body["namespace"], body["service_account"])
        if association:
            return {"role": association.description["roleArn"]}
    return {"role": None}


def authenticate(eks: Any, body: Params) -> Params:
    """Who a token is."""
    return {"principal": eks.identity.authenticate(eks, body["token"])}


def _settle(eks: Any, group: Thing, ready: int, wanted: int, issues: list[Params]) -> None:
    before = (group.status, group.description["health"]["issues"])
    short = any(issue["code"] == "AsgInstanceLaunchFailures" for issue in issues)
    status = group.status
    if status == "CREATING":
        if ready >= wanted and not issues:
            status = "ACTIVE"
        elif short and time.time() - group.description["createdAt"] > _PATIENCE:
            status = "CREATE_FAILED"
    elif status in ("ACTIVE", "DEGRADED"):
        status = "DEGRADED" if issues else "ACTIVE"
    group.description.update(status=status, health={"issues": issues})
    if before != (status, issues):
        eks.store.put(group)


def _forget(eks: Any, group: Thing) -> None:
    # The controller saw no machines of it once before: its Nodes are on their way out.
    if group.internal.get("cleared"):
        if group.internal.get("seen"):
            eks.store.remove(group)
            return
        group.internal["seen"] = True
        eks.store.put(group)


def _ask_again(eks: Any, group: Thing) -> None:
    auto_scaling_group = scaling.of(eks, group)
    if auto_scaling_group is None:
        return
    if (
        auto_scaling_group.desired_capacity > len(auto_scaling_group.active_instances())
        and not eks.server.faults.shortage()
    ):
        _desire(eks, group, auto_scaling_group.desired_capacity)


def _desire(eks: Any, group: Thing, count: int) -> None:
    eks.aws.call(
        "autoscaling",
        "set_desired_capacity",
        AutoScalingGroupName=group.internal["group"],
        DesiredCapacity=count,
        HonorCooldown=False,
    )


def _allowed(eks: Any, body: Params, operation: str) -> tuple[Thing, Any]:
    """The node group of an Auto Scaling group, and moto's, which a role may act on."""
    groups = eks.store.every("nodegroup")
    group = next((group for group in groups if group.internal["group"] == body["group"]), None)
    auto_scaling_group = scaling.of(eks, group) if group else None
    if group is None or auto_scaling_group is None:
        raise Refusal("ValidationError", f"AutoScalingGroup name not found - {body['group']}")
    role, action, arn = body["role"], f"autoscaling:{operation}", auto_scaling_group.arn
    tags = {tag["Key"]: tag["Value"] for tag in auto_scaling_group.tags}
    context = {f"{kind}:ResourceTag/{key}": tags[key] for key in tags for kind in ("aws", "autoscaling")}
    context["aws:RequestedRegion"] = eks.instance.region
    if not eks.identity.allowed(role, action, arn, context):
        words = f"User: {role} is not authorized to perform: {action} on resource: {arn}"
        raise Refusal("AccessDenied", words, 403)
    return group, auto_scaling_group


VIEWS: Final = {
    "cluster": cluster,
    "cluster_ready": cluster_ready,
    "cluster_gone": cluster_gone,
    "machines": machine_list,
    "groups": groups,
    "node_group_health": node_group_health,
    "set_desired": set_desired,
    "terminate": terminate,
    "addons": addon_list,
    "addon_status": addon_status,
    "workload_role": workload_role,
    "authenticate": authenticate,
}
