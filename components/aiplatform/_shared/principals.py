"""Principals in grants: a single principal of a cloud, never all of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from pulumi import Input, Output

from aiplatform._shared.args import Rule, matches
from aiplatform._shared.cloud_support import Cloud

ROLE: Final = matches(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
    "an IAM role's arn, arn:aws:iam::111122223333:role/trainers",
)
GROUP: Final = matches(
    r"group:[^\s@:*]+@[^\s@:*]+\.[^\s@:*]+", "a Google group, group:recommender@acme.example"
)
"""Members of a cluster on Google Cloud are groups, so that people come and go without an update."""
_RESERVED: Final = re.compile(r"arn:[^:]+:iam::\d{12}:role/(aws-reserved|aws-service-role)/.+")


def reserved(arn: str) -> bool:
    """Return whether only AWS can change a role: one of a permission set of IAM Identity Center, or a
    service-linked one. IAM refuses to attach policies to it (IAM API reference, PutRolePolicy:
    UnmodifiableEntity)."""
    return _RESERVED.fullmatch(arn) is not None


def assignable_role(value: Any) -> str | None:
    """A rule: a role to which policies can be attached."""
    if reserved(str(value)):
        return (
            "to which only AWS can attach policies (a role of IAM Identity Center or of a service); expected "
            "a role that you manage"
        )
    return None


MEMBER: Final = matches(
    r"(serviceAccount|group|user):[^\s@:*]+@[^\s@:*]+|principal://[^\s*]+",
    "one principal, serviceAccount:EMAIL, group:EMAIL, user:EMAIL or principal://...",
)
PRINCIPAL: Final[dict[Cloud, Rule]] = {"aws": ROLE, "gcp": MEMBER}
"""A rule for a principal on each cloud, in the form of the `principal` of workload identities."""


_TEXTS: Final[WeakKeyDictionary[Output[Any], str]] = WeakKeyDictionary()


def declare(principal: Output[str], text: str) -> Output[str]:
    """Record the value that an output will have, so that components can compare principals before they exist.
    For a principal with a fixed name, which is known before the cloud creates it. Returns the output."""
    _TEXTS[principal] = text
    return principal


def known(principal: Input[str]) -> str | None:
    """Return a principal as text; None where only the engine knows it."""
    if isinstance(principal, str):
        return principal
    return _TEXTS.get(principal) if isinstance(principal, Output) else None


def identity(principal: Input[str]) -> str:
    """Return what identifies a principal: the text, or the output itself where only the engine knows it."""
    return known(principal) or f"output {id(principal)}"


def member_key(principal: Input[str], otherwise: str) -> str:
    """Return a member of Google's IAM as part of logical names: kind and address,
    `group-analysts@acme.example`.

    Each member resource is named by its principal and the resource of the role, never by a position in a
    list: deleting it removes the principal from the role, whichever resource added it. otherwise: the result
    where only the engine knows the principal.
    """
    text = known(principal)
    if text is None:
        return otherwise
    kind, _, address = text.partition(":")
    return f"{kind}-{address.lstrip('/')}"


@dataclass(frozen=True)
class Member:
    """A principal of a list. key: its part of logical names. former: its position, which was the key
    before."""

    principal: Input[str]
    key: str
    former: str


def members(principals: Sequence[Input[str]]) -> Iterator[Member]:
    """Return the principals of a list without duplicates."""
    seen: set[str] = set()
    for position, principal in enumerate(principals):
        if identity(principal) not in seen:
            seen.add(identity(principal))
            yield Member(principal, member_key(principal, str(position)), str(position))


def renamed(name: str, former: str | None) -> list[str]:
    """Return a former logical name as `formerly` of a resource with this name; none where they are equal."""
    return [former] if former is not None and former != name else []
