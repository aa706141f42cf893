"""Who may be named by grants: one principal of a cloud, and never everybody."""

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
_RESERVED: Final = re.compile(r"arn:[^:]+:iam::\d{12}:role/(aws-reserved|aws-service-role)/.+")


def reserved(arn: str) -> bool:
    """Whether AWS alone may change a role: one that IAM Identity Center made for a permission set, or a
    service-linked one. IAM refuses to put policies on it (IAM API reference, PutRolePolicy:
    UnmodifiableEntity)."""
    return _RESERVED.fullmatch(arn) is not None


def own_role(value: Any) -> str | None:
    """A rule: a role on which policies can be put."""
    if reserved(str(value)):
        return (
            "on which AWS alone can put policies (a role of IAM Identity Center or of a service); expected a "
            "role of your own"
        )
    return None


MEMBER: Final = matches(
    r"(serviceAccount|group|user):[^\s@:*]+@[^\s@:*]+|principal://[^\s*]+",
    "one principal, serviceAccount:EMAIL, group:EMAIL, user:EMAIL or principal://...",
)
PRINCIPAL: Final[dict[Cloud, Rule]] = {"aws": ROLE, "gcp": MEMBER}
"""A rule for a principal on each cloud, in the shape in which workload identities give theirs."""


_TEXTS: Final[WeakKeyDictionary[Output[Any], str]] = WeakKeyDictionary()


def declare(principal: Output[str], text: str) -> Output[str]:
    """Note what an output will be, so that components can compare principals before they exist. Returns the
    output. For one with a name of its own, which is known before the cloud creates it."""
    _TEXTS[principal] = text
    return principal


def known(principal: Input[str]) -> str | None:
    """A principal as text; None where only the engine will know it."""
    if isinstance(principal, str):
        return principal
    return _TEXTS.get(principal) if isinstance(principal, Output) else None


def identity(principal: Input[str]) -> str:
    """Return what identifies a principal: the text, or the output itself where only the engine knows it."""
    return known(principal) or f"output {id(principal)}"


def member_key(principal: Input[str], otherwise: str) -> str:
    """A member of Google's IAM in logical names: its kind and address, `group-analysts@acme.example`.

    Each member resource is named by its principal and by what it is a role on, never by a position in a list:
    deleting one removes the principal from the role, whichever resource put it there. otherwise: where only
    the engine knows the principal.
    """
    text = known(principal)
    if text is None:
        return otherwise
    kind, _, address = text.partition(":")
    return f"{kind}-{address.lstrip('/')}"


@dataclass(frozen=True)
class Member:
    """A principal of a list. key: its part of logical names. former: what it was before, its position."""

    principal: Input[str]
    key: str
    former: str


def members(principals: Sequence[Input[str]]) -> Iterator[Member]:
    """The principals of a list, each once."""
    seen: set[str] = set()
    for position, principal in enumerate(principals):
        if identity(principal) not in seen:
            seen.add(identity(principal))
            yield Member(principal, member_key(principal, str(position)), str(position))


def renamed(name: str, former: str | None) -> list[str]:
    """A former logical name as `formerly` of a resource that has this one; none where they are equal."""
    return [former] if former is not None and former != name else []
