"""IAM policy documents on AWS: where resources have them, and what stands in them."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from .policy import Undecided
from .resource import Resource
from .values import UNKNOWN, each

IDENTITY_POLICIES: Final = (
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
    "aws:iam/role:Role",
)
"""Types with policies of who may do what: their own document, or a role's inline ones."""


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document."""

    path: str
    """The property path of the statement, `policy.Statement[0]`."""
    body: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        """Whether it allows, and does not deny."""
        return self.body.get("Effect") == "Allow"

    def listed(self, key: str) -> Iterator[tuple[str, Any]]:
        """(property path, entry) of `Action`, `Resource`, ...: a single one counts as a list of one."""
        value = self.body.get(key)
        if isinstance(value, list):
            yield from each(value, f"{self.path}.{key}")
        elif value is not None:
            yield f"{self.path}.{key}", value

    @property
    def conditions(self) -> Mapping[str, Mapping[str, Any]]:
        """Its conditions by operator."""
        found = self.body.get("Condition")
        return cast("Mapping[str, Mapping[str, Any]]", found) if isinstance(found, Mapping) else {}

    def condition_keys(self) -> set[str]:
        """The keys that its conditions are about, in lower case: IAM does not heed their case."""
        return {key.lower() for operator in self.conditions.values() for key in operator}


def statements(resource: Resource, *paths: str) -> Iterator[Statement | Undecided]:
    """The statements of the documents at these property paths. A document that is not known yet is
    Undecided."""
    for path in paths:
        yield from document(resource.get(path), path)


def identity_statements(resource: Resource) -> Iterator[Statement | Undecided]:
    """Of a resource of IDENTITY_POLICIES, all statements of who may do what (not those of trust)."""
    if resource.type == "aws:iam/role:Role":
        for path, inline in resource.items("inlinePolicies"):
            yield from document(cast("Mapping[str, Any]", inline).get("policy"), f"{path}.policy")
        return
    yield from statements(resource, "policy")


def stands_for(action: str, names: Iterable[str]) -> str | None:
    """The first of these actions, in lower case, that an action is or its wildcards stand for: `s3:Get*` is
    `s3:getobject`. IAM heeds no case."""
    low = action.lower()
    return next((name for name in names if name == low or fnmatch.fnmatchcase(name, low)), None)


def is_every_action(action: Any) -> bool:
    """Whether it is `*` or `service:*`: every action, told by identity.forbid_wildcard_actions."""
    return isinstance(action, str) and (action == "*" or action.endswith(":*"))


def document(value: Any, path: str) -> Iterator[Statement | Undecided]:
    """The statements of one document: a JSON text, or an object."""
    if value is UNKNOWN:
        yield Undecided(path)
        return
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return  # The cloud refuses it.
    if not isinstance(value, Mapping):
        return
    said = cast("Mapping[str, Any]", value).get("Statement")
    if isinstance(said, Mapping):
        yield Statement(f"{path}.Statement", cast("Mapping[str, Any]", said))
    for where, body in each(said, f"{path}.Statement"):
        if isinstance(body, Mapping):
            yield Statement(where, cast("Mapping[str, Any]", body))
