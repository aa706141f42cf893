"""Which DNS records external-dns created, and for which cluster: TXT records state their owner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_OWNER: Final = re.compile(r"heritage=external-dns,external-dns/owner=([^,\"]+)")
_TYPED: Final = re.compile(r"(a|aaaa|cname)-(.+)")
_ABOUT: Final = {"a": ("A",), "aaaa": ("AAAA",), "cname": ("CNAME", "A"), "": ("A", "CNAME")}
"""The first part of a TXT record's name -> types of the records that it can be about. An alias of Route 53 is
an A record with the part `cname`; a name without a part is of the older format. Source: docs/registry/txt.md
and registry/txt of kubernetes-sigs/external-dns."""


def owner_of(text: str) -> str:
    """Return the owner that a TXT record of external-dns states, else an empty text."""
    match = _OWNER.search(text)
    return match[1] if match else ""


def about(name: str) -> set[tuple[str, str]]:
    """Return name and type of the records that a TXT record of this name is about."""
    match = _TYPED.fullmatch(name)
    part, rest = (match[1], match[2]) if match else ("", name)
    return {(rest, type_) for type_ in _ABOUT[part]}


def owned(records: Sequence[tuple[str, str, str]]) -> list[tuple[int, str]]:
    """Return (place, owner) of external-dns's records: addresses, and then the TXT records about them,
    without which an address is not recognised.

    records: name, type and text of each. An address that two owners state has none.
    """
    owners: dict[tuple[str, str], set[str]] = {}
    texts: list[tuple[int, str]] = []
    addresses: list[tuple[int, str]] = []
    for place, (name, type_, text) in enumerate(records):
        if type_ == "TXT" and (owner := owner_of(text)):
            texts.append((place, owner))
            for record in about(name):
                owners.setdefault(record, set()).add(owner)
    for place, (name, type_, _) in enumerate(records):
        of_record = owners.get((name, type_), set())
        if len(of_record) == 1:
            addresses.append((place, next(iter(of_record))))
    return [*addresses, *texts]
