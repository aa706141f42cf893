"""IAM bindings of Google Cloud: the roles that a resource grants, and their members."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .properties import Deferred, Entry, Properties
from .resource import Resource
from .values import UNKNOWN

PROJECT_BINDINGS: Final = (
    "gcp:projects/iAMMember:IAMMember",
    "gcp:projects/iAMBinding:IAMBinding",
    "gcp:folder/iAMMember:IAMMember",
    "gcp:folder/iAMBinding:IAMBinding",
    "gcp:organizations/iAMMember:IAMMember",
    "gcp:organizations/iAMBinding:IAMBinding",
    "gcp:projects/iAMPolicy:IAMPolicy",
    "gcp:folder/iAMPolicy:IAMPolicy",
    "gcp:organizations/iAMPolicy:IAMPolicy",
)
"""Types that grant roles on a project, a folder or an organization."""


@dataclass(frozen=True)
class Grant:
    """A role that a resource grants."""

    binding: Properties
    """The resource itself, or a binding of its policy."""

    @property
    def path(self) -> str:
        """The property path of the role."""
        return self.binding.where("role")

    @property
    def role(self) -> Any:
        """`roles/storage.admin`. Raises Deferred where it is unknown."""
        return self.binding.known("role")

    @property
    def role_name(self) -> str:
        """The role, for messages; also where it is unknown."""
        role = self.binding.raw("role")
        return "a role" if role is UNKNOWN else repr(role)

    @property
    def conditional(self) -> bool:
        """Whether it applies only under a condition."""
        return self.binding.raw("condition") is not None

    @property
    def members(self) -> Iterator[Entry]:
        """The members. An unknown list counts as one unknown member."""
        for key in ("member", "members"):
            if self.binding.raw(key) is UNKNOWN:
                yield Entry(self.binding.where(key), UNKNOWN)
            else:
                yield from self.binding.entries(key)


def grants(resource: Resource) -> Iterator[Grant | Deferred]:
    """Yield the roles that a resource grants: a member or a binding has one, a policy (`...IAMPolicy`) as
    many as its `policyData` has bindings. Deferred for unknown ones."""
    data = resource.raw("policyData")
    if data is None:
        yield Grant(resource)
    elif data is UNKNOWN:
        yield Deferred("policyData")
    else:
        try:
            for binding in Entry("policyData", _parsed(data)).entries("bindings"):
                if isinstance(binding.body, Mapping):
                    yield Grant(binding)
                elif binding.body is UNKNOWN:
                    yield Deferred(binding.path)
        except Deferred as deferred:
            yield deferred


def _parsed(data: Any) -> Any:
    try:
        return json.loads(data) if isinstance(data, str) else data
    except ValueError:
        return None  # The cloud refuses it.


def members(resource: Resource) -> Iterator[Entry | Deferred]:
    """Yield the members that a resource grants roles to; Deferred for unknown ones."""
    for grant in grants(resource):
        if isinstance(grant, Deferred):
            yield grant
        else:
            yield from grant.members
