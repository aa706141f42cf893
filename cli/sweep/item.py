"""Resources of an account, as the readers of both clouds return them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cli.sweep.identity import Identity

NETWORK: Final = "network"
"""The kind of networks, by which the resources in them are recognised."""


@dataclass(frozen=True)
class Item:
    """One resource of the account.

    Whose it is: name, exact (no other environment can have this name), tags (labels on Google Cloud), owners
    (what else states a cluster -> the cluster's name), foreign (why it is another's, whatever else it has),
    network (the id of its network), uses (ids of resources by which it is recognised where nothing of its
    own states it), and evidence (whether it is read for the claims of others alone).

    Its removal: busy (why it cannot be deleted now), reason (why it stays on purpose; such a resource is
    never deleted), command (what deletes it), delete (deletes it by the account's client).

    Others: id, also (its other identifiers, such as an ARN), since (when it was created, as the API states
    it), costs (price of the table, quantity a month), unpriced (what is charged for in an unknown amount).
    """

    kind: str
    id: str
    name: str = ""
    exact: bool = False
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    foreign: str = ""
    owners: Mapping[str, str] = field(default_factory=dict[str, str])
    since: str = ""
    network: str = ""
    uses: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    busy: str = ""
    reason: str = ""
    costs: tuple[tuple[str, float], ...] = ()
    unpriced: str = ""
    command: str = ""
    delete: Callable[[Any], object] | None = None
    evidence: bool = False


def short_id(id: str) -> str:
    """Return an id without the account and the project, which ARNs and paths of Google begin with."""
    if id.startswith("arn:"):
        return id.split(":", 5)[5]
    return id.rpartition("/")[2] if id.startswith("projects/") else id


@dataclass(frozen=True)
class Scope:
    """The account of an environment.

    client: of its cloud (cli.clients). on_twin: whether it is a twin's.
    """

    identity: Identity
    cloud: str
    region: str
    account: str
    client: Any
    on_twin: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of resources. read: raises UncheckedError where it cannot be read."""

    name: str
    read: Callable[[Scope], Iterable[Item]]
