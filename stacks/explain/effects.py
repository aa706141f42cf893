"""What a key becomes on each cloud, from the tables that refuse arguments (`cloud_support.py`)."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Final

from aiplatform._shared.cloud_support import CLOUDS, Cloud, Refused, SupportTable
from stacks.explain import checked
from stacks.explain.keys import Key
from stacks.settings import NAMESPACE

PROGRAM: Final = "the program"
"""What takes the keys that no component has."""


@dataclass(frozen=True)
class Effect:
    """What a key becomes on a cloud. of: the argument whose line states it, where that is one around it."""

    supported: bool
    text: str
    of: str


def effects(key: Key) -> dict[Cloud, Effect]:
    """Return the effect on each cloud; nothing of a key that only the program reads."""
    component = checked.component(key)
    if component is None:
        return {}
    table, path = support(component), checked.arguments_path(key)
    for length in range(len(path), -1, -1):
        line = ".".join(path[:length])
        if line in table:
            of = "" if length == len(path) else line or component.__name__
            return {cloud: _effect(getattr(table[line], cloud), of) for cloud in CLOUDS}
    return {}


def support(component: type) -> SupportTable:
    """Return the table of a component, from its folder's `cloud_support.py`."""
    return importlib.import_module(f"aiplatform.{checked.entity(component)}.cloud_support").SUPPORT


def taken_by(key: Key) -> str:
    """Return the component that takes a key, or the program."""
    component = checked.component(key)
    return PROGRAM if component is None else component.__name__


def page(key: Key) -> str:
    """Return the page of the documentation that has the key."""
    component = checked.component(key)
    if component is None:
        return f"docs/environment.md#{NAMESPACE}{key.path[0]}"
    return f"docs/components/{checked.entity(component)}.md#arguments"


def _effect(meaning: str | Refused, of: str) -> Effect:
    refused = isinstance(meaning, Refused)
    return Effect(not refused, meaning.reason if isinstance(meaning, Refused) else meaning, of)
