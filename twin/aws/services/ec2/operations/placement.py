"""Placement groups, which moto does not have: kept on its EC2 backend, so that the journal remembers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal

_XMLNS: Final = "http://ec2.amazonaws.com/doc/2016-11-15/"


class PlacementGroup:
    """One placement group."""

    def __init__(self, group_id: str, name: str, params: dict[str, Any], tags: list[dict[str, str]]) -> None:
        self.id = group_id
        self.name = name
        self.strategy = params.get("Strategy") or "cluster"
        self.partitions = params.get("PartitionCount")
        self.spread_level = params.get("SpreadLevel")
        self.tags = tags
        self.state = "available"


def placement_groups(backend: Any) -> dict[str, PlacementGroup]:
    """A backend's placement groups by name."""
    return vars(backend).setdefault("placement_groups", {})


def create(call: Call, backend: Any) -> Answer:
    """CreatePlacementGroup."""
    from moto.ec2.utils import random_id

    params = call.params
    name = params.get("GroupName") or ""
    strategy = params.get("Strategy") or "cluster"
    if not 1 <= len(name) <= 255:
        raise Refusal("MissingParameter", "The request must contain the parameter groupName")
    if name in placement_groups(backend):
        raise Refusal("InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.")
    if params.get("PartitionCount") and strategy != "partition":
        raise Refusal(
            "InvalidParameterCombination", f"PartitionCount goes with the strategy partition, not {strategy}"
        )
    if params.get("SpreadLevel") and strategy != "spread":
        raise Refusal(
            "InvalidParameterCombination", f"SpreadLevel goes with the strategy spread, not {strategy}"
        )
    if strategy == "partition" and not 1 <= int(params.get("PartitionCount") or 2) <= 7:
        raise Refusal(
            "InvalidParameterValue", f"PartitionCount must be 1 to 7, got {params['PartitionCount']}"
        )
    tags = [
        t
        for tag_specification in params.get("TagSpecifications") or []
        for t in tag_specification.get("Tags") or []
    ]
    group = PlacementGroup(random_id("pg"), name, params, tags)
    placement_groups(backend)[name] = group
    if tags:
        backend.create_tags([group.id], {tag["Key"]: tag["Value"] for tag in tags})
    return _answer(
        "CreatePlacementGroup",
        f"<return>true</return><placementGroup>{_xml(group, backend)}</placementGroup>",
    )


def delete(call: Call, backend: Any) -> Answer:
    """DeletePlacementGroup."""
    name = call.params.get("GroupName") or ""
    if name not in placement_groups(backend):
        raise _unknown(name)
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
    return _answer("DeletePlacementGroup", "<return>true</return>")


def describe(call: Call, backend: Any) -> Answer:
    """DescribePlacementGroups."""
    params = call.params
    names, ids = params.get("GroupNames") or [], params.get("GroupIds") or []
    for name in names:
        if name not in placement_groups(backend):
            raise _unknown(name)
    for group_id in ids:
        if group_id not in [group.id for group in placement_groups(backend).values()]:
            raise _unknown(group_id)
    groups = [
        group
        for group in placement_groups(backend).values()
        if (not names or group.name in names)
        and (not ids or group.id in ids)
        and all(_passes(group, backend, one) for one in params.get("Filters") or [])
    ]
    items = "".join(f"<item>{_xml(group, backend)}</item>" for group in groups)
    return _answer("DescribePlacementGroups", f"<placementGroupSet>{items}</placementGroupSet>")


def _passes(group: PlacementGroup, backend: Any, one: dict[str, Any]) -> bool:
    name, values = one.get("Name") or "", one.get("Values") or []
    if name.startswith("tag:"):
        return _tags(group, backend).get(name.removeprefix("tag:")) in values
    fields = {"group-name": group.name, "strategy": group.strategy, "state": group.state}
    return fields.get(name) in values if name in fields else True


def _tags(group: PlacementGroup, backend: Any) -> dict[str, str]:
    tags = backend.describe_tags(filters={"resource-id": [group.id]})
    return {tag["key"]: tag["value"] for tag in tags}


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


def _xml(group: PlacementGroup, backend: Any) -> str:
    from xml.sax.saxutils import escape

    where = f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:placement-group/{group.name}"
    tags = "".join(
        f"<item><key>{escape(key)}</key><value>{escape(value)}</value></item>"
        for key, value in _tags(group, backend).items()
    )
    partitions = f"<partitionCount>{group.partitions}</partitionCount>" if group.partitions else ""
    spread = f"<spreadLevel>{group.spread_level}</spreadLevel>" if group.spread_level else ""
    return (
        f"<groupId>{group.id}</groupId><groupName>{escape(group.name)}</groupName><groupArn>{escape(where)}</groupArn>"
        f"<strategy>{group.strategy}</strategy><state>{group.state}</state>{partitions}{spread}"
        f"<tagSet>{tags}</tagSet>"
    )


def _unknown(name: str) -> Refusal:
    return Refusal("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")


def _answer(operation: str, inside: str) -> Answer:
    body = (
        f'<{operation}Response xmlns="{_XMLNS}"><requestId>fdcdcab1-ae5c-489e-9c33-4637c5dda355</requestId>'
        f"{inside}</{operation}Response>"
    )
    return Answer(200, [("Content-Type", "text/xml")], body.encode())


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer]]] = {
    "CreatePlacementGroup": create,
    "DeletePlacementGroup": delete,
    "DescribePlacementGroups": describe,
}
