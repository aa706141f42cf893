"""What differs between a resource as it was asked for before and as it is asked for now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twin.core.autonaming import DEFAULTS_KEY
from twin.property_values import Path_, has_unknown, show, without_indices
from twin.provider_interface import UNKNOWN, Props, ResourceType


@dataclass(frozen=True)
class Change:
    """One difference. kind: `add`, `update` or `delete`; replace: whether only a replacement gets there."""

    path: Path_
    kind: str
    replace: bool
    of_input: bool = True
    """Whether old and new inputs differ, or an output and what the provider would make of the inputs."""

    @property
    def text(self) -> str:
        """The path as Pulumi writes it."""
        return show(self.path)


@dataclass
class Difference:
    """All differences, and how a replacement is done."""

    changes: list[Change] = field(default_factory=list[Change])
    delete_before_replace: bool = False

    @property
    def replaces(self) -> list[str]:
        """The paths that force a replacement."""
        return [change.text for change in self.changes if change.replace]


def compare(
    type: ResourceType | None,
    old: Props,
    state: Props,
    new: Props,
    *,
    planned: Props | None = None,
    defaulted: Iterable[str] = (),
    ignored: Iterable[str] = (),
) -> Difference:
    """Compare inputs.

    old: the inputs of before (after a refresh: what the cloud has of them). state: the outputs of before; an
    input that is new and says what the cloud has anyway is no change. new: the inputs now. planned: these
    with what the provider adds (tagsAll), compared with `state`. defaulted: the inputs that Check filled in.
    ignored: paths of the resource option ignore_changes.
    """
    changes = list(_properties(type, old, state, new))
    for key, value in (planned or {}).items():
        if key not in new and key in state and not _same(type, key, state[key] or None, value or None):
            replace = bool(type and type.replaces(key, state, {**new, key: value}))
            changes.append(Change((key,), "update", replace, of_input=False))
    seen = {change.path for change in changes}
    for path in type.unasked(state, new) if type else ():
        if path not in seen:
            replace = bool(type and type.replaces(without_indices(path), state, new))
            changes.append(Change(path, "delete", replace, of_input=False))
    skip = [path.replace('"]', "").replace('["', ".") for path in ignored]
    counted = [change for change in changes if not _ignored(change.path, skip)]
    difference = Difference(counted)
    if type and difference.replaces:
        difference.delete_before_replace = type.delete_before_replace or _same_name(type, old, new, defaulted)
    return difference


def nothing(value: Any) -> bool:
    """Whether a value says as much as none: false, 0, the empty text, list or object."""
    return value is None or (value is not UNKNOWN and value in (False, 0, "", [], {}))


def _properties(type: ResourceType | None, old: Props, state: Props, new: Props) -> Iterable[Change]:
    walk = _Walk(type, old, new)
    for key in sorted({*old, *new} - {DEFAULTS_KEY}):
        if key in new and key not in old and state.get(key) is not None:
            # Nothing was asked, and the cloud has a value (its default, or an import).
            if not covers(type, key, state[key], new[key]):
                yield from walk.values((key,), None, new[key])
        elif key in old and key not in new:
            # What the cloud would choose itself stays as it is when the program stops asking for it.
            if not (type and key in type.computed) and not nothing(old[key]):
                yield from walk.values((key,), old[key], None)
        elif key in old or not nothing(new[key]):
            # As for the real providers: asking for nothing (false, an empty list) where nothing is.
            yield from walk.values((key,), old.get(key), new.get(key))


@dataclass(frozen=True)
class _Walk:
    type: ResourceType | None
    old: Props
    new: Props

    def values(self, path: Path_, old: Any, new: Any) -> Iterable[Change]:
        if new is None and old is None:
            return
        if not has_unknown(new) and _same(self.type, without_indices(path), old, new):
            return
        if isinstance(old, dict) and isinstance(new, dict):
            for key in sorted({*old, *new} - {DEFAULTS_KEY}):
                yield from self.values((*path, key), old.get(key), new.get(key))
        elif isinstance(old, list) and isinstance(new, list):
            for i in range(max(len(old), len(new))):
                was = old[i] if i < len(old) else None
                yield from self.values((*path, i), was, new[i] if i < len(new) else None)
        else:
            kind = "add" if old is None else "delete" if new is None else "update"
            yield Change(path, kind, self._replaces(path))

    def _replaces(self, path: Path_) -> bool:
        return bool(self.type and self.type.replaces(without_indices(path), self.old, self.new))


def _same(type: ResourceType | None, path: str, old: Any, new: Any) -> bool:
    if new is UNKNOWN or old is UNKNOWN:
        return False
    if old == new and isinstance(old, bool) == isinstance(new, bool):
        return True
    return bool(type and type.same(path, old, new))


def covers(type: ResourceType | None, path: str, has: Any, wanted: Any) -> bool:
    """Whether what the cloud has says all that is asked; it may say more."""
    if isinstance(has, dict) and isinstance(wanted, dict):
        return all(covers(type, f"{path}.{key}", has.get(key), value) for key, value in wanted.items())
    if (
        isinstance(has, list)
        and isinstance(wanted, list)
        and len(has) == len(wanted)
        and not has_unknown(wanted)
    ):
        items = zip(has, wanted, strict=True)
        return all(covers(type, path, one, other) for one, other in items)
    return _same(type, path, has, wanted)


def _ignored(path: Path_, skip: list[str]) -> bool:
    texts = [show(path).replace('"]', "").replace('["', "."), without_indices(path)]
    for pattern in skip:
        if pattern == "*":
            return True
        plain = pattern.replace("[*]", "").removesuffix(".*")
        if any(text == plain or text.startswith((plain + ".", plain + "[")) for text in texts):
            return True
    return False


def _same_name(type: ResourceType, old: Mapping[str, Any], new: Props, defaulted: Iterable[str]) -> bool:
    """A replacement under a name that the program chose would meet its predecessor: delete that first."""
    if type.autoname is None or type.autoname.property in defaulted:
        return False
    name = new.get(type.autoname.property)
    return isinstance(name, str) and name == old.get(type.autoname.property)
