"""The parts of a policy's spec. A spec is data; tests/policies/test_specs.py evaluates its cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policies.framework import UNKNOWN, Resource, Stack

__all__ = ["UNKNOWN", "Case", "Fails", "Resource", "Spec", "Stack", "awaiting", "resource", "stack"]

Subject = Resource | Stack


@dataclass(frozen=True)
class Fails:
    """A subject that violates the policy."""

    subject: Subject
    path: str
    """The property path that is reported."""
    says: str = ""
    """A part of the problem."""
    of: str = ""
    """The logical name of the resource that is reported, for a stack."""
    count: int = 1
    """The number of violations."""


@dataclass(frozen=True)
class Case:
    """A subject that is evaluated with options of the policy."""

    subject: Subject
    options: Mapping[str, Any]
    fails: bool
    """Whether it violates the policy then. Without the options it must be the opposite."""


@dataclass(frozen=True)
class Spec:
    """All cases of a policy, by a description."""

    passes: Mapping[str, Subject]
    fails: Mapping[str, Fails]
    unknown: Mapping[str, Subject]
    """Subjects that a preview cannot evaluate: no violation is reported, and the check is deferred."""
    configured: Mapping[str, Case] = field(default_factory=dict[str, Case])
    """Required where the policy has options."""


def resource(
    token: str, props: Mapping[str, Any] | None = None, name: str = "it", **attributes: Any
) -> Resource:
    """Return a resource with these properties by their names in camelCase. attributes: protect, parent,
    provider, dependencies, property_dependencies."""
    urn = f"urn:pulumi:dev::acme::{token}::{name}"
    return Resource(type=token, name=name, urn=urn, props=props or {}, **attributes)


def awaiting(token: str, key: str) -> Resource:
    """Return a resource of a stack with a property whose value comes from a resource that does not exist yet.
    An UNKNOWN that comes from no resource is a value that the cloud will fill in."""
    return resource(token, {key: UNKNOWN}, property_dependencies={key: ["elsewhere"]})


def stack(*resources: Resource, uses: Mapping[str, Sequence[str]] | None = None) -> Stack:
    """Return a program of these resources. uses: logical name -> the logical names of the resources that it
    has a property from."""
    urns = {member.name: member.urn for member in resources}

    def connected(member: Resource) -> Resource:
        sources = [urns[name] for name in (uses or {}).get(member.name, ())]
        by_property = {**member.property_dependencies, "from": sources}
        return replace(member, dependencies=sources, property_dependencies=by_property)

    return Stack([connected(member) for member in resources])
