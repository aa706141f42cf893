"""A resource and a stack, as policies see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, ClassVar, cast

from .properties import Deferred, Properties
from .values import UNKNOWN, at


@dataclass(frozen=True)
class Resource(Properties):
    """One resource: its inputs when it is evaluated by itself; in a Stack its state after the provider."""

    type: str
    """Its type token, `aws:s3/bucket:Bucket`."""
    name: str
    """Its logical name."""
    urn: str
    props: Mapping[str, Any]
    """Its properties by their names in camelCase, as plain values; unknown ones are UNKNOWN."""
    protect: bool = False
    """Whether Pulumi refuses to delete it."""
    parent: str = ""
    """The URN of its parent."""
    provider: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The configuration of its provider."""
    dependencies: Sequence[str] = ()
    """The URNs of its dependencies. Only in a Stack."""
    property_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Property -> the URNs of the resources that its value comes from. Only in a Stack."""

    memo: dict[str, Any] = field(default_factory=dict[str, Any], init=False, compare=False, repr=False)
    """What helpers have found in its properties, which several policies need: by the name of the helper."""

    path: ClassVar[str] = ""  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def body(self) -> Mapping[str, Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Its properties."""
        return self.props

    def declared(self, path: str) -> Any:
        """Return what the program declares at a path, for a resource in a Stack: as `known`, but None for a
        value that the cloud will fill in. In a preview that one is unknown and comes from no resource."""
        value = self.raw(path)
        if value is UNKNOWN and self.sources(path):
            raise Deferred(path)
        return None if value is UNKNOWN else value

    def sources(self, path: str) -> Sequence[str]:
        """Return the URNs that the property at the beginning of a path comes from, for a resource in a
        Stack."""
        return self.property_dependencies.get(path.partition(".")[0].partition("[")[0], ())

    @cached_property
    def tags(self) -> Mapping[str, Any]:
        """Its tags on AWS or labels on Google Cloud, including those that its provider adds."""
        tags: dict[str, Any] = {}
        for source in (
            at(_provider_value(self.provider, "defaultTags"), "tags"),
            _provider_value(self.provider, "defaultLabels"),
            *(self.props.get(key) for key in ("tags", "labels", "userLabels", "resourceLabels", "tagsAll")),
        ):
            if isinstance(source, Mapping):
                tags.update(cast("Mapping[str, Any]", source))
        return tags


@dataclass(frozen=True)
class Stack:
    """All resources of a program, with the state that they have or, in a preview, will have."""

    resources: Sequence[Resource]

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of these types; one that ends with `:` or `/` matches all that begin with
        it."""
        return [resource for resource in self.resources if matches(resource.type, types)]

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """URN -> resource."""
        return {resource.urn: resource for resource in self.resources}

    def users_of(self, resource: Resource) -> list[Resource]:
        """Return the resources that have a property whose value comes from this one."""
        return [
            user
            for user in self.resources
            if any(resource.urn in urns for urns in user.property_dependencies.values())
        ]


def _provider_value(provider: Mapping[str, Any], key: str) -> Any:
    """Return a key of a provider's configuration, which the engine holds as JSON unless it is a string."""
    value = provider.get(key)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return value


@cache
def matches(token: str, types: tuple[str, ...]) -> bool:
    """Return whether a type is one of these; one that ends with `:` or `/` matches all that begin with it."""
    return any(token.startswith(kind) if kind.endswith((":", "/")) else token == kind for kind in types)
