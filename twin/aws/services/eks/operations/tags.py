"""Tags of EKS's things, by arn."""

from __future__ import annotations

from typing import Any

from twin.aws.services.eks.operations.errors import invalid, not_found
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]
KINDS = ("cluster", "nodegroup", "addon", "access_entry", "pod_identity")
_ARNS = ("arn", "nodegroupArn", "addonArn", "accessEntryArn", "associationArn")


def check(tags: dict[str, str] | None) -> dict[str, str]:
    """The tags, or EKS's refusal of reserved keys and too many."""
    checked = dict(tags or {})
    reserved = [key for key in checked if key.lower().startswith("aws:")]
    if reserved:
        raise invalid(f"Tag keys must not start with the reserved prefix aws: ({', '.join(reserved)})")
    if len(checked) > 50:
        raise invalid(f"A resource can have at most 50 tags, got {len(checked)}")
    return checked


def arn_of(thing: Thing) -> str:
    """A thing's arn."""
    return next((thing.description[name] for name in _ARNS if name in thing.description), "")


def find(eks: Any, arn: str) -> Thing:
    """The thing of an arn."""
    for kind in KINDS:
        for thing in eks.store.every(kind):
            if arn_of(thing) == arn:
                return thing
    raise not_found(f"Resource with arn {arn} not found")


def listing(eks: Any, params: Params) -> Params:
    """ListTagsForResource."""
    return {"tags": find(eks, params["resourceArn"]).description.get("tags", {})}


def tag(eks: Any, params: Params) -> Params:
    """TagResource."""
    thing = find(eks, params["resourceArn"])
    thing.description["tags"] = check({**thing.description.get("tags", {}), **params["tags"]})
    eks.store.put(thing)
    return {}


def untag(eks: Any, params: Params) -> Params:
    """UntagResource."""
    thing = find(eks, params["resourceArn"])
    tags = thing.description.get("tags", {})
    thing.description["tags"] = {key: value for key, value in tags.items() if key not in params["tagKeys"]}
    eks.store.put(thing)
    return {}


HANDLERS = {"ListTagsForResource": listing, "TagResource": tag, "UntagResource": untag}
