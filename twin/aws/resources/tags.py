"""How the services keep tags: on create, read back, changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

from twin.aws.context import AwsContext
from twin.aws.resources.calls import Call
from twin.core.templates import fill
from twin.provider_interface import UNKNOWN, Props


def tag_path(path: str) -> str:
    """`tags` for a path in a create call's tags; empty for another."""
    return "tags" if re.match(r"(?i)tags\b|TagSpecifications\b|TagList\b", path) else ""


@dataclass(frozen=True)
class Tagging:
    """A service's way with tags.

    create: the parameter of the create call; empty: a separate call after it. key, value: names in a
    list's members; both empty: a map. item: jmespath of the tags in what the read call answers; empty:
    `listing` is asked, and `listing_item` is the jmespath in its answer. add, remove: the calls that change
    tags, with `{tags}` and `{keys}` in their parameters.
    """

    add: Call
    remove: Call
    create: str = "Tags"
    key: str = "Key"
    value: str = "Value"
    item: str = "Tags"
    listing: Call | None = None
    listing_item: str = ""

    def encoded(self, tags: Any) -> Any:
        """As the API takes them, in a stable order: the body of a repeated call must be the same."""
        if tags is UNKNOWN:
            return UNKNOWN
        if not self.key:
            return dict(sorted(tags.items()))
        return [{self.key: key, self.value: tags[key]} for key in sorted(tags)]

    def decoded(self, tags: Any) -> dict[str, str]:
        """From the API's form."""
        if isinstance(tags, Mapping):
            return dict(tags)
        return {tag[self.key]: tag.get(self.value, "") for tag in tags or []}

    def on_create(self, tags: Any) -> Props:
        """The create call's parameters for these tags."""
        return {self.create: self.encoded(tags)} if self.create and tags else {}

    def remote(
        self, context: AwsContext, service: str, item: Any, values: Mapping[str, Any]
    ) -> dict[str, str]:
        """The tags that the cloud has."""
        if self.listing is None:
            return self.decoded(jmespath.search(self.item, item))
        answer = context.call(service, self.listing.operation, fill(self.listing.params, values))
        return self.decoded(jmespath.search(self.listing_item, answer))

    def change(
        self,
        context: AwsContext,
        service: str,
        values: Mapping[str, Any],
        old: Mapping[str, str],
        new: Mapping[str, str],
    ) -> None:
        """Bring the tags from `old` to `new`; what is in neither is left alone."""
        keys = sorted(old.keys() - new.keys())
        if keys:
            arguments = {**values, "keys": keys, "keysAsTags": [{self.key or "Key": key} for key in keys]}
            context.call(service, self.remove.operation, fill(self.remove.params, arguments))
        tags = {key: value for key, value in new.items() if old.get(key) != value}
        if tags:
            arguments = {**values, "tags": self.encoded(tags)}
            context.call(service, self.add.operation, fill(self.add.params, arguments))


class Ec2Tagging(Tagging):
    """EC2: TagSpecifications on create, CreateTags and DeleteTags by id."""

    def __init__(self, resource_type: str, *, asked_apart: bool = False) -> None:
        listing = Call("DescribeTags", {"Filters": [{"Name": "resource-id", "Values": ["{id}"]}]})
        super().__init__(
            listing=listing if asked_apart else None,
            listing_item="Tags",
            add=Call("CreateTags", {"Resources": ["{id}"], "Tags": "{tags}"}),
            remove=Call("DeleteTags", {"Resources": ["{id}"], "Tags": "{keysAsTags}"}),
        )
        object.__setattr__(self, "resource_type", resource_type)

    resource_type: str

    def on_create(self, tags: Any) -> Props:
        if not tags:
            return {}
        specification = {"ResourceType": self.resource_type, "Tags": self.encoded(tags)}
        return {"TagSpecifications": [specification]}
