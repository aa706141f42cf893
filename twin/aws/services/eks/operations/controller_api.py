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
    found = eks.store.every("cluster")
    if not found:
        return {"cluster": None}
    shown = found[0].shown
    seen = {
        "name": found[0].name,
        "status": shown["status"],
        "version": shown["version"],
        "uid": f"{shown['arn']} {shown['createdAt']}",
        "service_cidr": shown["kubernetesNetworkConfig"].get("serviceIpv4Cidr", ""),
        "issuer": shown["identity"]["oidc"]["issuer"],
        "self_managed_addons": found[0].kept.get("self_managed_addons", False),
    }
    return {"cluster": seen}


def cluster_ready(eks: Any, body: Params) -> Params:
    """CREATING becomes ACTIVE; a restarted control plane may have another endpoint."""
    for each in eks.store.every("cluster"):
        if each.status in ("CREATING", "ACTIVE"):
            each.shown.update(
                status="ACTIVE",
                endpoint=body["endpoint"],
                certificateAuthority={"data": body["certificate_authority"]},
            )
            eks.store.put(each)
    return {}


def cluster_gone(eks: Any, _: Params) -> Params:
    """DELETING ends."""
    for each in eks.store.every("cluster"):
        if each.status == "DELETING":
            clusters.gone(eks, each)
    return {}


def machine_list(eks: Any, _: Params) -> Params:
    """The machines that should be Nodes. Groups that wait for machines ask for them again."""
    found: list[Params] = []
    for group in eks.store.every("nodegroup"):
        if group.status == "DELETING":
            _forget(eks, group)
            continue
        _ask_again(eks, group)
        found += node_objects.every(eks, group)
    for one in eks.store.every("cluster"):
        if one.status == "ACTIVE":
            found += self_managed.every(eks, one)
    return {"machines": found}


def groups(eks: Any, _: Params) -> Params:
    """The groups that can grow."""
    found: list[Params] = []
    for group in eks.store.every("nodegroup"):
        held = scaling.of(eks, group)
        if held is None or group.status == "DELETING":
            continue
        found.append(
            {
                "name": group.kept["group"],
                "minimum": held.min_size,
                "maximum": held.max_size,
                "desired": held.desired_capacity,
                "template": node_objects.template(eks, group),
                "tags": {tag["Key"]: tag["Value"] for tag in held.tags},
                "node_group": group.name,
            }
        )
    return {"groups": found}


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
        held = scaling.of(eks, group)
        shortage = getattr(held, "twin_shortage", "") if held else ""
        wanted = held.desired_capacity if held else 0
        if shortage and len(scaling.instances(eks, group)) < wanted:
            resources = [group.kept["group"]]
            issues.append(
                {"code": "AsgInstanceLaunchFailures", "message": shortage, "resourceIds": resources}
            )
        _settle(eks, group, body["ready"], wanted, issues)
    return {}


def set_desired(eks: Any, body: Params) -> Params:
    """SetDesiredCapacity with the rights of a role. A shortage lowers the number again, as autoscalers do."""
    group = _group(eks, body["group"])
    held = _held(eks, group)
    _allow(eks, body["role"], "autoscaling:SetDesiredCapacity", held)
    count = int(body["count"])
    if not held.min_size <= count <= held.max_size:
        edge = "above the maximum" if count > held.max_size else "below the minimum"
        raise Refusal(
            "ValidationError",
            f"New SetDesiredCapacity value {count} is {edge} value for the AutoScalingGroup.",
        )
    _desire(eks, group, count)
    active = len(scaling.instances(eks, group))
    if active < count:
        shortage = held.twin_shortage or "InsufficientInstanceCapacity"
        _desire(eks, group, max(active, held.min_size))
        held.twin_shortage = shortage
        raise Refusal("InsufficientInstanceCapacity", shortage, 409)
    return {}


def terminate(eks: Any, body: Params) -> Params:
    """TerminateInstanceInAutoScalingGroup with the rights of a role; the desired number falls by one."""
    group = _group(eks, body["group"])
    held = _held(eks, group)
    _allow(eks, body["role"], "autoscaling:TerminateInstanceInAutoScalingGroup", held)
    instance = body["provider_id"].rsplit("/", 1)[-1]
    if instance not in [state.instance.id for state in scaling.instances(eks, group)]:
        return {}
    if held.desired_capacity - 1 < held.min_size:
        raise Refusal(
            "ValidationError",
            f"Currently, desiredSize equals minSize ({held.min_size}). Terminating "
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
    return {"addons": [addons.seen(each) for each in eks.store.every("addon")]}


def addon_status(eks: Any, body: Params) -> Params:
    """What became of an add-on."""
    addons.settle(eks, body["name"], body["status"], body["issues"])
    return {}


def workload_role(eks: Any, body: Params) -> Params:
    """The role of a service account."""
    for each in eks.store.every("cluster"):
        found = pod_identity.find(eks, each.name, body["namespace"], body["service_account"])
        if found:
            return {"role": found.shown["roleArn"]}
    return {"role": None}


def authenticate(eks: Any, body: Params) -> Params:
    """Who a token is."""
    return {"principal": eks.identity.authenticate(eks, body["token"])}


def _settle(eks: Any, group: Thing, ready: int, wanted: int, issues: list[Params]) -> None:
    before = (group.status, group.shown["health"]["issues"])
    short = any(issue["code"] == "AsgInstanceLaunchFailures" for issue in issues)
    status = group.status
    if status == "CREATING":
        if ready >= wanted and not issues:
            status = "ACTIVE"
        elif short and time.time() - group.shown["createdAt"] > _PATIENCE:
            status = "CREATE_FAILED"
    elif status in ("ACTIVE", "DEGRADED"):
        status = "DEGRADED" if issues else "ACTIVE"
    group.shown.update(status=status, health={"issues": issues})
    if before != (status, issues):
        eks.store.put(group)


def _forget(eks: Any, group: Thing) -> None:
    # The controller saw no machines of it once before: its Nodes are on their way out.
    if group.kept.get("cleared"):
        if group.kept.get("seen"):
            eks.store.remove(group)
            return
        group.kept["seen"] = True
        eks.store.put(group)


def _ask_again(eks: Any, group: Thing) -> None:
    held = scaling.of(eks, group)
    if held is None:
        return
    if held.desired_capacity > len(held.active_instances()) and not eks.front.faults.shortage():
        _desire(eks, group, held.desired_capacity)


def _desire(eks: Any, group: Thing, count: int) -> None:
    eks.aws.call(
        "autoscaling",
        "set_desired_capacity",
        AutoScalingGroupName=group.kept["group"],
        DesiredCapacity=count,
        HonorCooldown=False,
    )


def _group(eks: Any, name: str) -> Thing:
    for group in eks.store.every("nodegroup"):
        if group.kept["group"] == name:
            return group
    raise Refusal("ValidationError", f"AutoScalingGroup name not found - {name}")


def _held(eks: Any, group: Thing) -> Any:
    held = scaling.of(eks, group)
    if held is None:
        raise Refusal("ValidationError", f"AutoScalingGroup name not found - {group.kept['group']}")
    return held


def _allow(eks: Any, role: str, action: str, group: Any) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in group.tags}
    context = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    context.update({f"autoscaling:ResourceTag/{key}": value for key, value in tags.items()})
    context["aws:RequestedRegion"] = eks.instance.region
    if not eks.identity.allowed(role, action, group.arn, context):
        raise Refusal(
            "AccessDenied",
            f"User: {role} is not authorized to perform: {action} on resource: {group.arn}",
            403,
        )


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
