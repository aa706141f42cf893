"""What an upgrade from a recorded version deletes or replaces."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.releases.records import FOLDER, Resource

INTENDED: Final = "intended.toml"
KINDS: Final = ("deleted", "replaced")


@dataclass(frozen=True)
class Effect:
    """One resource that an upgrade deletes or replaces."""

    kind: str
    """`deleted` or `replaced`."""
    urn: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.urn}{self.detail and f' ({self.detail})'}"


@dataclass(frozen=True)
class Intention:
    """An entry of intended.toml: effects that a version has on purpose."""

    kind: str
    urn: str
    """A pattern of URNs, as in a shell (`aiplatform:index:Network$*::network-log-*`)."""
    reason: str

    def covers(self, effect: Effect) -> bool:
        """Return whether this entry intends an effect."""
        return self.kind == effect.kind and fnmatch.fnmatchcase(effect.urn, self.urn)


def effects(before: Sequence[Resource], now: Sequence[Resource]) -> Iterator[Effect]:
    """Yield what an upgrade deletes or replaces.

    A resource of before still exists where one of now has its URN, or had it by an alias. It is replaced
    where an input that cannot change in place has another value; references to resources that were renamed
    are the same value.
    """
    present = {resource.urn: resource for resource in now}
    aliased = {urn: resource for resource in now for urn in resource.former if urn not in present}
    pairs = [(resource, present.get(resource.urn) or aliased.get(resource.urn)) for resource in before]
    renamed = {
        f"${{{old.reference}.": f"${{{new.reference}."
        for old, new in pairs
        if new is not None and new.reference != old.reference
    }
    for old, new in pairs:
        if new is None:
            yield Effect("deleted", old.urn)
            continue
        for path in sorted({*old.fixed, *new.fixed}):
            was, value = _with(old.fixed.get(path, "unset"), renamed), new.fixed.get(path, "unset")
            if was != value:
                yield Effect("replaced", old.urn, f"{path}: {was} -> {value}")


def intentions(version: str) -> list[Intention]:
    """Return the intended effects of an upgrade from a recorded version. Raises ValueError."""
    file = FOLDER / version / INTENDED
    document = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if unknown := set(document) - set(KINDS):
        raise ValueError(f"{file}: unknown table {sorted(unknown)}; expected {' or '.join(KINDS)}")
    entries = [Intention(kind, **entry) for kind in KINDS for entry in document.get(kind, [])]
    if silent := [entry.urn for entry in entries if not entry.reason.strip()]:
        raise ValueError(f"{file}: no reason for {silent}; expected why, and what a user does before")
    return entries


def unintended(all_: Iterable[Effect], intended: Sequence[Intention]) -> list[Effect]:
    """Return the effects that no entry covers."""
    return [effect for effect in all_ if not any(entry.covers(effect) for entry in intended)]


def _with(text: str, replacements: dict[str, str]) -> str:
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text
