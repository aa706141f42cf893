"""Removal: its order, what is read again before each deletion, and what happens after a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from cli.clients.errors import UncheckedError
from cli.sweep.account import Reading
from cli.sweep.claims import evaluate
from cli.sweep.identity import Identity
from cli.sweep.item import Item, Kind, Scope
from cli.sweep.removal import Removed, remove

DEV = Identity("aws-dev", "acme", "dev")
OURS = {"environment": "dev", "managed-by": "ai-platform"}


class Account:
    """Resources that a test states; a deletion removes one and is recorded."""

    def __init__(self, *items: Item) -> None:
        self.items = {item.id: replace(item, delete=self._delete(item.id)) for item in items}
        self.deleted: list[str] = []
        self.after: Callable[[str], None] = lambda _: None

    def _delete(self, id: str) -> Callable[[Any], None]:
        def delete(_: Any) -> None:
            if id in self.failing:
                raise UncheckedError("DependencyViolation: it has a dependent object")
            del self.items[id]
            self.deleted.append(id)
            self.after(id)

        return delete

    failing: tuple[str, ...] = ()

    def kinds(self, *names: str) -> list[Kind]:
        def reader(name: str) -> Callable[[Scope], Iterable[Item]]:
            return lambda _: [item for item in self.items.values() if item.kind == name]

        return [Kind(name, reader(name)) for name in names]

    def remove(self, *names: str, in_state: frozenset[str] = frozenset()) -> list[Removed]:
        reported: list[Removed] = []
        items = list(self.items.values())
        scope = Scope(DEV, "aws", "us-west-2", "111122223333", client=None)
        reading = Reading(self.kinds(*names), items, {})
        entries = evaluate(items, DEV, in_state)
        removed = remove(scope, reading, entries, in_state, reported.append)
        assert removed == reported, "each is reported when it has happened"
        return removed


def outcomes(removed: list[Removed]) -> dict[str, str]:
    return {result.entry.item.id: result.outcome for result in removed}


def test_kinds_are_deleted_in_their_order_and_only_what_is_left() -> None:
    account = Account(
        Item("volume", "v", tags=OURS),
        Item("balancer", "b", tags=OURS),
        Item("volume", "retained", tags=OURS, reason="data"),
        Item("volume", "claimed", tags={**OURS, "KubernetesCluster": "other"}),
        Item("volume", "uncertain", name="acme-dev-x"),
        Item("volume", "in-state", tags=OURS),
    )
    removed = account.remove("balancer", "volume", in_state=frozenset({"in-state"}))
    assert account.deleted == ["b", "v"]
    assert outcomes(removed) == {"b": "removed", "v": "removed"}


def test_failure_is_reported_and_the_others_are_deleted() -> None:
    account = Account(*(Item("group", id, tags=OURS) for id in ("1", "2", "3")))
    account.failing = ("2",)
    removed = account.remove("group")
    assert outcomes(removed) == {"1": "removed", "2": "failed", "3": "removed"}
    assert removed[1].reason == "DependencyViolation: it has a dependent object"


def test_tag_that_another_added_meanwhile_keeps_a_resource() -> None:
    account = Account(*(Item("volume", id, tags=OURS) for id in ("1", "2", "3")))

    def retag(_: str) -> None:
        account.items["2"] = replace(account.items["2"], tags={"environment": "staging", **OURS_OF_CLUSTER})

    account.after = retag
    removed = account.remove("volume")
    assert account.deleted == ["1", "3"]
    assert outcomes(removed)["2"] == "not removed"
    assert "tag environment=staging" in removed[1].reason


OURS_OF_CLUSTER = {"KubernetesCluster": "acme-dev-cluster"}


def test_resource_whose_tags_were_removed_meanwhile_stays() -> None:
    account = Account(*(Item("volume", id, tags=OURS) for id in ("1", "2")))

    def untag(_: str) -> None:
        if "2" in account.items:
            account.items["2"] = replace(account.items["2"], tags={})

    account.after = untag
    removed = account.remove("volume")
    assert account.deleted == ["1"]
    assert removed[1].reason == "it has changed: no claim is left"


def test_resource_in_use_stays_and_one_that_is_released_meanwhile_is_deleted() -> None:
    account = Account(
        Item("rule", "r", tags=OURS),
        Item("address", "a", uses=("r",), busy="in use by r"),
        Item("volume", "v", tags=OURS, busy="attached to i"),
    )

    def release(id: str) -> None:
        if id == "r":
            account.items["a"] = replace(account.items["a"], busy="", uses=())

    account.after = release
    removed = account.remove("rule", "address", "volume")
    assert account.deleted == ["r", "a"], "it is recognised by what used it, which is deleted by now"
    assert removed[2].reason == "attached to i"


def test_resource_that_is_deleted_meanwhile_is_no_failure() -> None:
    account = Account(*(Item("volume", id, tags=OURS) for id in ("1", "2")))
    account.after = lambda _: account.items.clear()
    assert outcomes(account.remove("volume")) == {"1": "removed", "2": "already deleted"}
