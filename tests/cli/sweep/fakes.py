"""Accounts that answer what a test states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli.clients import gcp
from cli.sweep.identity import Identity
from cli.sweep.item import Item, Kind, Scope
from tests.cli.preflight.fakes import PROJECT

DEV = Identity("aws-dev", "acme", "dev")
OURS = {"environment": "dev", "managed-by": "ai-platform"}
ACCOUNT = "123456789012"
HERITAGE = "heritage=external-dns,external-dns/owner={},external-dns/resource=service/default/web"
"""The text of external-dns for an owner."""


class Google(gcp.Client):
    """A project. answers: `api path` -> an answer; empty for any other. deleted: what was deleted."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__(PROJECT, local=True)
        self.answers = dict(answers)
        self.deleted: list[str] = []

    def get(self, api: str, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self.answers.get(f"{api} {path}", {})

    def delete(self, api: str, path: str) -> None:
        self.deleted.append(f"{api} {path}")


def aggregated(word: str, *entries: Mapping[str, Any], place: str = "global") -> dict[str, Any]:
    """Return the answer to aggregatedList, in which a place is empty."""
    empty = {"warning": {"code": "NO_RESULTS_ON_PAGE"}}
    return {"items": {"zones/us-central1-f": empty, place: {word: list(entries)}}}


def link(place: str) -> str:
    """Return the link of a resource of Compute Engine."""
    return f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/{place}"


def resource(place: str, **more: Any) -> dict[str, Any]:
    """Return a resource of Compute Engine at `global/firewalls/name`."""
    return {"name": place.rpartition("/")[2], "selfLink": link(place), **more}


def scope(client: Any, *, cloud: str = "aws", identity: Identity = DEV) -> Scope:
    """Return the account of an environment."""
    account, region = (ACCOUNT, "us-west-2") if cloud == "aws" else (PROJECT, "us-central1")
    return Scope(identity, cloud, region, account, client)


def read(of: Scope, kinds: Iterable[Kind]) -> list[Item]:
    """Return what kinds read."""
    return list(_read(of, kinds))


def _read(of: Scope, kinds: Iterable[Kind]) -> Iterator[Item]:
    for kind in kinds:
        for item in kind.read(of):
            assert item.kind == kind.name, "a removal finds the reader by the kind"
            yield item
