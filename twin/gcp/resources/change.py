"""A call of a table entry that carries a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Change:
    """A call that carries a change.

    when: properties; the call is made when one of them changed. method: below the entry's collection, or a
    whole id. send: the properties that its body holds; None: those of `when` that changed. whole: all
    properties. mask: whether the query names the fields that change (`updateMask`). body: more of the body,
    with `{name}` for values. fingerprint: the field that must come from a read right before.
    """

    when: tuple[str, ...]
    method: str = "patch"
    send: tuple[str, ...] | None = None
    whole: bool = False
    mask: bool = False
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fingerprint: str = ""
