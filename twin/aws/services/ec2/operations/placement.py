"""Placement groups, which moto does not have: kept on its EC2 backend, so that the journal remembers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import extension_store, stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


@dataclass
class PlacementGroup:
    """One placement group."""

    id: str
    name: str
    strategy: str
    partitions: int | None
    spread_level: str | None


def placement_groups(backend: Any) -> dict[str, PlacementGroup]:
    """A backend's placement groups by name."""
    return vars(backend).setdefault("placement_groups", {})


def create(params: Params, backend: Any) -> Params:
    """CreatePlacementGroup."""
    from moto.ec2.utils import random_id

    name = str(params["GroupName"])
    group = PlacementGroup(
        random_id("pg"),
        name,
        params.get("Strategy") or "cluster",
        params.get("PartitionCount"),
        params.get("SpreadLevel"),
    )
    placement_groups(backend)[name] = group
    tag(backend, group.id, params)
    return {"PlacementGroup": _described(group, backend)}


def tag(backend: Any, id: str, params: Params) -> None:
    """Give what is new the tags of its request."""
    specifications = params.get("TagSpecifications") or []
    tags = {tag["Key"]: tag["Value"] for one in specifications for tag in one.get("Tags") or []}
    if tags:
        backend.create_tags([id], tags)


def tags(backend: Any, id: str) -> dict[str, str]:
    """The tags of a thing of EC2."""
    return {tag["key"]: tag["value"] for tag in backend.describe_tags(filters={"resource-id": [id]})}


def passes(filters: list[Params] | None, fields: Params, tags: Params) -> bool:
    """Whether a thing with these fields and tags passes filters of EC2; those of other fields count not."""
    known = {**fields, **{f"tag:{key}": value for key, value in tags.items()}}
    return all(
        known.get(one["Name"]) in (one.get("Values") or [])
        for one in filters or []
        if one["Name"] in fields or one["Name"].startswith("tag:")
    )


def delete(params: Params, backend: Any) -> Params:
    """DeletePlacementGroup."""
    name = str(params.get("GroupName") or "")
    _known(backend, "name", [name])
    templates = [
        template.id
        for template in backend.launch_templates.values()
        if (template.default_version().data.get("Placement") or {}).get("GroupName") == name
    ]
    # Instances of a fleet keep their group when their launch template is deleted.
    if _in_group(backend, name) or any(_running(backend, template) for template in templates):
        raise Refusal(
            "InvalidPlacementGroup.InUse",
            f"The placement group '{name}' is in use and may not be deleted.",
        )
    del placement_groups(backend)[name]
    return {}


def describe(params: Params, backend: Any) -> Params:
    """DescribePlacementGroups."""
    names, ids = params.get("GroupNames") or [], params.get("GroupIds") or []
    _known(backend, "name", names)
    _known(backend, "id", ids)
    groups: list[Params] = []
    for group in placement_groups(backend).values():
        fields = {"group-name": group.name, "strategy": group.strategy, "state": "available"}
        wanted = (not names or group.name in names) and (not ids or group.id in ids)
        if wanted and passes(params.get("Filters"), fields, tags(backend, group.id)):
            groups.append(_described(group, backend))
    return {"PlacementGroups": groups}


def _known(backend: Any, attribute: str, values: list[str]) -> None:
    known = [getattr(group, attribute) for group in placement_groups(backend).values()]
    for value in values:
        if value not in known:
            raise Refusal("InvalidPlacementGroup.Unknown", f"The Placement Group '{value}' is unknown.")


def _in_group(backend: Any, name: str) -> bool:
    return any(
        instance.placement.group_name == name and instance.state != "terminated"
        for reservation in backend.reservations.values()
        for instance in reservation.instances
    )


def _running(backend: Any, template_id: str) -> bool:
    for reservation in backend.reservations.values():
        for instance in reservation.instances:
            tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
            if instance.state == "running" and tags.get("aws:ec2launchtemplate:id") == template_id:
                return True
    return False


def _described(group: PlacementGroup, backend: Any) -> Params:
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "GroupArn": f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:placement-group/{group.name}",
        "Strategy": group.strategy,
        "State": "available",
        "PartitionCount": group.partitions,
        "SpreadLevel": group.spread_level,
        "Tags": extension_store.tag_list(tags(backend, group.id)),
    }


def _check(params: Params, state: MotoState) -> None:
    """CreatePlacementGroup."""
    name = params.get("GroupName")
    if name in placement_groups(state.ec2):
        raise Refusal("InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.")


RULES: Final = stated.rules(__name__, {"CreatePlacementGroup": _check})
OPERATIONS: Final = extension_store.operations(
    {
        "CreatePlacementGroup": create,
        "DeletePlacementGroup": delete,
        "DescribePlacementGroups": describe,
    }
)
