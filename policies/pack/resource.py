"""A resource and a stack, as policies see them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, cast

from .values import UNKNOWN, at


@dataclass(frozen=True)
class Resource:
    """One resource: its inputs when it is judged alone; in a Stack what the provider has made of them."""

    type: str
    """Its token, `aws:s3/bucket:Bucket`."""
    name: str
    """Its logical name."""
    urn: str
    """Its URN."""
    props: Mapping[str, Any]
    """Its properties by their names in camelCase, as plain values; what is not known yet is UNKNOWN."""
    protect: bool = False
    """Whether Pulumi refuses to delete it."""
    parent: str = ""
    """The URN of its parent."""
    provider: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The configuration of its provider."""
    dependencies: Sequence[str] = ()
    """The URNs of what it depends on. In a Stack alone."""
    property_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Property -> the URNs of what its value comes from. In a Stack alone."""

    def get(self, path: str) -> Any:
        """The value at a property path, `spec.containers[0].image`: None where nothing is there, UNKNOWN
        where it is not known yet."""
        return at(self.props, path)

    def said(self, path: str) -> Any:
        """Of a resource in a Stack, what somebody said: as `get`, but None also for what only the cloud will
        fill in. A preview holds that as UNKNOWN, too, and it comes from nothing in the program."""
        value = self.get(path)
        return None if value is UNKNOWN and not self.comes_from(path) else value

    def comes_from(self, path: str) -> Sequence[str]:
        """Of a resource in a Stack, the URNs that the property at the beginning of a path comes from."""
        return self.property_dependencies.get(path.partition(".")[0].partition("[")[0], ())

    def items(self, path: str) -> Iterator[tuple[str, Any]]:
        """(path, entry) of the list at a path; a single object counts as a list of one. What is not known yet
        is one entry that is UNKNOWN; of what is missing there is nothing."""
        value = self.get(path)
        if value is UNKNOWN or isinstance(value, Mapping):
            yield path, value
        elif isinstance(value, list):
            for index, entry in enumerate(cast("list[Any]", value)):
                yield f"{path}[{index}]", entry

    @cached_property
    def tags(self) -> Mapping[str, Any]:
        """Its tags on AWS or labels on Google Cloud, those that its provider adds included."""
        found: dict[str, Any] = {}
        for own in (
            at(_said(self.provider, "defaultTags"), "tags"),
            _said(self.provider, "defaultLabels"),
            *(self.props.get(key) for key in ("tags", "labels", "userLabels", "resourceLabels", "tagsAll")),
        ):
            if isinstance(own, Mapping):
                found.update(cast("Mapping[str, Any]", own))
        return found

    @property
    def tags_are_known(self) -> bool:
        """Whether its tags as a whole are known."""
        return all(self.props.get(key) is not UNKNOWN for key in ("tags", "labels", "tagsAll"))


@dataclass(frozen=True)
class Stack:
    """All resources of a program, as the provider has made them or, in a preview, will make them."""

    resources: Sequence[Resource]

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types; one that ends with `:` or `/` stands for all that begin with it."""
        return [each for each in self.resources if matches(each.type, types)]

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """URN -> resource."""
        return {each.urn: each for each in self.resources}

    def users_of(self, resource: Resource) -> list[Resource]:
        """Those that have a property whose value comes from it."""
        return [
            each
            for each in self.resources
            if any(resource.urn in urns for urns in each.property_dependencies.values())
        ]


def _said(provider: Mapping[str, Any], key: str) -> Any:
    """A key of a provider's configuration: the engine has all that is not a text as JSON."""
    value = provider.get(key)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return value


@cache
def matches(token: str, types: tuple[str, ...]) -> bool:
    """Whether a type is one of these; one that ends with `:` or `/` stands for all that begin with it."""
    return any(token.startswith(each) if each.endswith((":", "/")) else token == each for each in types)
