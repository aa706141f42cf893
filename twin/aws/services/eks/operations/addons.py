"""Add-ons of a cluster."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Final

from twin.aws.services.eks.operations import pod_identity, references, tags, updates
from twin.aws.services.eks.operations.addon_catalog import check_configuration, check_version, offered
from twin.aws.services.eks.operations.errors import in_use, invalid, not_found
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]


def create(eks: Any, params: Params) -> Params:
    """CreateAddon."""
    cluster = eks.cluster(params["clusterName"], active=True)
    name = params["addonName"]
    offer = offered(name)
    if eks.store.get("addon", cluster.name, name):
        raise in_use("Addon already exists.", clusterName=cluster.name, addonName=name)
    version = check_version(offer, params.get("addonVersion"), cluster.shown["version"])
    check_configuration(offer, params.get("configurationValues"))
    _check_role(eks, params.get("serviceAccountRoleArn"))
    now = round(time.time(), 3)
    shown: Params = {
        "addonName": name,
        "clusterName": cluster.name,
        "status": "CREATING",
        "addonVersion": version,
        "health": {"issues": []},
        "addonArn": eks.arn("addon", cluster.name, name, str(uuid.uuid4())),
        "createdAt": now,
        "modifiedAt": now,
        "tags": tags.check(params.get("tags")),
    }
    shown["namespaceConfig"] = params.get("namespaceConfig") or {"namespace": offer.namespace}
    for key in ("serviceAccountRoleArn", "configurationValues"):
        if params.get(key):
            shown[key] = params[key]
    addon = Thing("addon", cluster.name, name, shown)
    eks.store.put(addon)
    _associate(eks, cluster, addon, params.get("podIdentityAssociations"))
    eks.store.put(addon)
    return {"addon": shown}


def describe(eks: Any, params: Params) -> Params:
    """DescribeAddon."""
    return {"addon": _find(eks, params).shown}


def every(eks: Any, params: Params) -> Params:
    """ListAddons."""
    cluster = eks.cluster(params["clusterName"])
    return {"addons": [each.name for each in eks.store.every("addon", cluster.name)]}


def update(eks: Any, params: Params) -> Params:
    """UpdateAddon. What is left out stays, as `resolveConflicts` asks or not."""
    cluster = eks.cluster(params["clusterName"], active=True)
    addon = _find(eks, params)
    if addon.status in ("CREATING", "DELETING", "UPDATING"):
        raise in_use(
            f"Addon {addon.name} is in {addon.status} state", clusterName=cluster.name, addonName=addon.name
        )
    offer = offered(addon.name)
    changed: Params = {}
    if params.get("addonVersion"):
        addon.shown["addonVersion"] = check_version(offer, params["addonVersion"], cluster.shown["version"])
        changed["AddonVersion"] = addon.shown["addonVersion"]
    if params.get("configurationValues") is not None:
        check_configuration(offer, params["configurationValues"])
        addon.shown["configurationValues"] = params["configurationValues"]
        changed["ConfigurationValues"] = params["configurationValues"]
    if params.get("serviceAccountRoleArn"):
        _check_role(eks, params["serviceAccountRoleArn"])
        addon.shown["serviceAccountRoleArn"] = params["serviceAccountRoleArn"]
        changed["ServiceAccountRoleArn"] = params["serviceAccountRoleArn"]
    if params.get("podIdentityAssociations") is not None:
        _dissociate(eks, addon)
        _associate(eks, cluster, addon, params["podIdentityAssociations"])
        changed["PodIdentityAssociations"] = params["podIdentityAssociations"]
    if params.get("resolveConflicts"):
        changed["ResolveConflicts"] = params["resolveConflicts"]
    addon.shown.update(status="UPDATING", modifiedAt=round(time.time(), 3))
    eks.store.put(addon)
    return updates.record(eks, addon, "AddonUpdate", changed)


def delete(eks: Any, params: Params) -> Params:
    """DeleteAddon. The controller takes its objects away unless they shall be preserved."""
    addon = _find(eks, params)
    _dissociate(eks, addon)
    addon.shown["status"] = "DELETING"
    addon.kept["preserve"] = str(params.get("preserve")).lower() == "true"
    eks.store.put(addon)
    return {"addon": addon.shown}


def settle(eks: Any, name: str, status: str, issues: list[str]) -> None:
    """What the controller found of an add-on: its status, and why."""
    for addon in eks.store.every("addon"):
        if addon.name != name:
            continue
        if status == "GONE":
            if addon.status == "DELETING":
                eks.store.remove(addon)
        elif addon.status != "DELETING":
            code = "InsufficientNumberOfReplicas"
            found = [{"code": code, "message": text, "resourceIds": []} for text in issues]
            if (addon.status, addon.shown["health"]["issues"]) != (status, found):
                addon.shown.update(status=status, health={"issues": found})
                eks.store.put(addon)


def seen(addon: Thing) -> Params:
    """An add-on as the controller sees it."""
    return {
        "name": addon.name,
        "version": addon.shown["addonVersion"],
        "status": addon.status,
        "configuration": json.loads(addon.shown.get("configurationValues") or "{}"),
        "service_account_role": addon.shown.get("serviceAccountRoleArn", ""),
    }


def _find(eks: Any, params: Params) -> Thing:
    cluster = eks.cluster(params["clusterName"])
    found = eks.store.get("addon", cluster.name, params["addonName"])
    if found is None:
        raise not_found(
            f"No addon: {params['addonName']} found in cluster: {cluster.name}",
            clusterName=cluster.name,
            addonName=params["addonName"],
        )
    return found


def _check_role(eks: Any, arn: str | None) -> None:
    if arn and references.role(eks, arn) is None:
        raise invalid(f"Role provided in the request does not exist: {arn}")


def _associate(eks: Any, cluster: Thing, addon: Thing, asked: list[Params] | None) -> None:
    made: list[str] = []
    known = offered(addon.name).service_accounts
    for each in asked or []:
        if known and each["serviceAccount"] not in known:
            raise invalid(
                f"Service account {each['serviceAccount']} is not one of addon "
                f"{addon.name}: {', '.join(known)}",
                addonName=addon.name,
            )
        wanted = {**each, "namespace": addon.shown["namespaceConfig"]["namespace"]}
        thing = pod_identity.make(eks, cluster, wanted, addon.shown["addonArn"])
        made.append(thing.shown["associationArn"])
    if made:
        addon.shown["podIdentityAssociations"] = made


def _dissociate(eks: Any, addon: Thing) -> None:
    for each in eks.store.every("pod_identity", addon.cluster):
        if each.shown.get("ownerArn") == addon.shown["addonArn"]:
            eks.store.remove(each)
    addon.shown.pop("podIdentityAssociations", None)


HANDLERS: Final = {
    "CreateAddon": create,
    "DescribeAddon": describe,
    "ListAddons": every,
    "UpdateAddon": update,
    "DeleteAddon": delete,
}
