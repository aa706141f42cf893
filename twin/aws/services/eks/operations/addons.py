"""Add-ons of a cluster."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Final

from twin.aws.services.eks.operations import pod_identity, references, tags, updates
from twin.aws.services.eks.operations.addon_catalog import check_configuration, check_version, offered
from twin.aws.services.eks.operations.errors import in_use, invalid
from twin.aws.services.eks.operations.kinds import Kind
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]
_CHANGES: Final = ("addonVersion", "configurationValues", "serviceAccountRoleArn")
ADDON: Final = Kind("addon", "addonName", "addon", "addons", "No addon: {name} found in cluster: {cluster}")


def create(eks: Any, params: Params) -> Params:
    """CreateAddon."""
    cluster = eks.cluster(params["clusterName"], active=True)
    name = params["addonName"]
    offer = offered(name)
    if eks.store.get("addon", cluster.name, name):
        raise in_use("Addon already exists.", clusterName=cluster.name, addonName=name)
    version = check_version(offer, params.get("addonVersion"), cluster.description["version"])
    check_configuration(offer, params.get("configurationValues"))
    _check_role(eks, params.get("serviceAccountRoleArn"))
    now = round(time.time(), 3)
    description: Params = {
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
    description["namespaceConfig"] = params.get("namespaceConfig") or {"namespace": offer.namespace}
    for key in ("serviceAccountRoleArn", "configurationValues"):
        if params.get(key):
            description[key] = params[key]
    addon = Thing("addon", cluster.name, name, description)
    eks.store.put(addon)
    _associate(eks, cluster, addon, params.get("podIdentityAssociations"))
    eks.store.put(addon)
    return {"addon": description}


def update(eks: Any, params: Params) -> Params:
    """UpdateAddon. What is left out stays, as `resolveConflicts` asks or not."""
    cluster = eks.cluster(params["clusterName"], active=True)
    addon = ADDON.find(eks, params)
    if addon.status in ("CREATING", "DELETING", "UPDATING"):
        raise in_use(
            f"Addon {addon.name} is in {addon.status} state", clusterName=cluster.name, addonName=addon.name
        )
    offer = offered(addon.name)
    updated = {name: params[name] for name in _CHANGES if params.get(name) is not None}
    if updated.get("addonVersion"):
        check_version(offer, updated["addonVersion"], cluster.description["version"])
    check_configuration(offer, updated.get("configurationValues"))
    _check_role(eks, updated.get("serviceAccountRoleArn"))
    addon.description.update(updated)
    changed: Params = {name[0].upper() + name[1:]: value for name, value in updated.items()}
    if params.get("podIdentityAssociations") is not None:
        _dissociate(eks, addon)
        _associate(eks, cluster, addon, params["podIdentityAssociations"])
        changed["PodIdentityAssociations"] = params["podIdentityAssociations"]
    if params.get("resolveConflicts"):
        changed["ResolveConflicts"] = params["resolveConflicts"]
    addon.description.update(status="UPDATING", modifiedAt=round(time.time(), 3))
    eks.store.put(addon)
    return updates.record(eks, addon, "AddonUpdate", changed)


def delete(eks: Any, params: Params) -> Params:
    """DeleteAddon. The controller takes its objects away unless they shall be preserved."""
    addon = ADDON.find(eks, params)
    _dissociate(eks, addon)
    addon.description["status"] = "DELETING"
    addon.internal["preserve"] = str(params.get("preserve")).lower() == "true"
    eks.store.put(addon)
    return {"addon": addon.description}


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
            reported_issues = [{"code": code, "message": text, "resourceIds": []} for text in issues]
            if (addon.status, addon.description["health"]["issues"]) != (status, reported_issues):
                addon.description.update(status=status, health={"issues": reported_issues})
                eks.store.put(addon)


def seen(addon: Thing) -> Params:
    """An add-on as the controller sees it."""
    return {
        "name": addon.name,
        "version": addon.description["addonVersion"],
        "status": addon.status,
        "configuration": json.loads(addon.description.get("configurationValues") or "{}"),
        "service_account_role": addon.description.get("serviceAccountRoleArn", ""),
    }


def _check_role(eks: Any, arn: str | None) -> None:
    if arn and references.role(eks, arn) is None:
        raise invalid(f"Role provided in the request does not exist: {arn}")


def _associate(eks: Any, cluster: Thing, addon: Thing, associations: list[Params] | None) -> None:
    ids: list[str] = []
    known = offered(addon.name).service_accounts
    for association in associations or []:
        if known and association["serviceAccount"] not in known:
            raise invalid(
                f"Service account {association['serviceAccount']} is not one of addon "
                f"{addon.name}: {', '.join(known)}",
                addonName=addon.name,
            )
        wanted = {**association, "namespace": addon.description["namespaceConfig"]["namespace"]}
        thing = pod_identity.make(eks, cluster, wanted, addon.description["addonArn"])
        ids.append(thing.description["associationArn"])
    if ids:
        addon.description["podIdentityAssociations"] = ids


def _dissociate(eks: Any, addon: Thing) -> None:
    for association in eks.store.every("pod_identity", addon.cluster):
        if association.description.get("ownerArn") == addon.description["addonArn"]:
            eks.store.remove(association)
    addon.description.pop("podIdentityAssociations", None)


HANDLERS: Final = {
    "CreateAddon": create,
    "DescribeAddon": ADDON.describe,
    "ListAddons": ADDON.list_all,
    "UpdateAddon": update,
    "DeleteAddon": delete,
}
