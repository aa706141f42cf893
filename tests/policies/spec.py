"""What a policy's spec is made of. A spec is data; tests/policies/test_specs.py judges its cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.pack import UNKNOWN, Resource, Stack

__all__ = ["UNKNOWN", "Case", "Fails", "Resource", "Spec", "Stack", "awaiting", "resource", "stack"]

Subject = Resource | Stack


@dataclass(frozen=True)
class Fails:
    """A subject in which the policy finds a fault."""

    subject: Subject
    path: str
    """The property path that is told."""
    says: str = ""
    """Words of the problem."""
    of: str = ""
    """Of a stack: the logical name of the resource that it is told of."""
    count: int = 1
    """How many faults in all."""


@dataclass(frozen=True)
class Case:
    """A subject judged with a configuration of the policy's own."""

    subject: Subject
    options: Mapping[str, Any]
    fails: bool
    """Whether there is a fault then. Without the configuration it must be the other way round."""


@dataclass(frozen=True)
class Spec:
    """All cases of a policy. What they are called says what they are about."""

    passes: Mapping[str, Subject]
    fails: Mapping[str, Fails]
    unknown: Mapping[str, Subject]
    """What cannot be judged in a preview: no fault is told, and it is said that it is not decided yet."""
    configured: Mapping[str, Case] = field(default_factory=dict[str, Case])
    """Required where the policy has options."""


def resource(token: str, props: Mapping[str, Any] | None = None, name: str = "it", **more: Any) -> Resource:
    """A resource with these properties by their names in camelCase. more: protect, parent, provider,
    dependencies, property_dependencies."""
    return Resource(
        type=token, name=name, urn=f"urn:pulumi:dev::acme::{token}::{name}", props=props or {}, **more
    )


def awaiting(token: str, key: str) -> Resource:
    """A resource of a stack with a property that comes from something which is not there yet. What is UNKNOWN
    and comes from nothing is what the cloud will fill in."""
    return resource(token, {key: UNKNOWN}, property_dependencies={key: ["elsewhere"]})


def stack(*resources: Resource, uses: Mapping[str, Sequence[str]] | None = None) -> Stack:
    """A program of these resources. uses: logical name -> the logical names of those that it has a property
    from."""
    urns = {each.name: each.urn for each in resources}
    wired = [
        Resource(
            type=each.type,
            name=each.name,
            urn=each.urn,
            props=each.props,
            protect=each.protect,
            parent=each.parent,
            provider=each.provider,
            dependencies=[urns[name] for name in (uses or {}).get(each.name, ())],
            property_dependencies={
                **each.property_dependencies,
                "from": [urns[name] for name in (uses or {}).get(each.name, ())],
            },
        )
        for each in resources
    ]
    return Stack(wired)
