"""Make what a read returns comparable with what the state holds: order, documents, who owns what."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from twin.provider_interface import UNKNOWN, Props

Alike = Callable[[str, Any, Any], bool]
"""Whether two scalars at a path mean the same though they differ (a name and a link to it)."""


def without_none(props: Props, *without: str) -> Props:
    """The properties or parameters that are given, but for some."""
    return {name: value for name, value in props.items() if value is not None and name not in without}


def equal(
    path: str,
    old: Any,
    new: Any,
    sets: frozenset[str],
    documents: frozenset[str],
    alike: Alike | None = None,
) -> bool:
    """Whether two values of the property at `path` (without indices) mean the same."""
    if old is UNKNOWN or new is UNKNOWN:
        return old is new
    if path in documents:
        return canonical(old) == canonical(new)
    if path in sets and isinstance(old, list) and isinstance(new, list):
        return sorted(map(canonical, old)) == sorted(map(canonical, new)) or (
            alike is not None and _matched(old, new, lambda a, b: equal(path, a, b, sets, documents, alike))
        )
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = {key for key in (*old, *new) if not (old.get(key) is None and new.get(key) is None)}
        return all(
            key in old and key in new and equal(f"{path}.{key}", old[key], new[key], sets, documents, alike)
            for key in keys
        )
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(
            equal(path, one, other, sets, documents, alike) for one, other in zip(old, new, strict=True)
        )
    return bool(old == new) or bool(alike and alike(path, old, new))


def _matched(old: list[Any], new: list[Any], same: Callable[[Any, Any], bool]) -> bool:
    """Whether each member of one set has its like in the other."""
    left = list(new)
    for one in old:
        like = next((other for other in left if same(one, other)), None)
        if like is None:
            return False
        left.remove(like)
    return not left


def canonical(value: Any) -> str:
    """A JSON document in one form: text or object, whatever the order of keys. A list of one is that one,
    as IAM reads policies; the order of a statement's actions means nothing."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return json.dumps(_normal(value), sort_keys=True, default=str)


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _normal(member) for key, member in value.items()}
    if isinstance(value, list):
        members = [_normal(member) for member in value]
        if len(members) == 1:
            return members[0]
        if all(isinstance(member, str) for member in members):
            return sorted(members)
        return members
    return value


def settled(
    outputs: Props,
    state: Props,
    *,
    sets: frozenset[str],
    documents: frozenset[str],
    declared: frozenset[str],
    others_change: frozenset[str],
    alike: Alike | None = None,
) -> Props:
    """The outputs with the state's own order and text where they mean the same."""
    result: Props = {}
    for name, value in outputs.items():
        if name in declared and state and state.get(name) is None:
            continue
        if name in others_change and state.get(name) is not None:
            result[name] = state[name]
        else:
            result[name] = _normalized(name, value, state.get(name), sets, documents, alike)
    return result


def _normalized(
    path: str,
    value: Any,
    known: Any,
    sets: frozenset[str],
    documents: frozenset[str],
    alike: Alike | None,
) -> Any:
    if known is None or known is UNKNOWN:
        return value
    compared = path in sets or path in documents or (alike is not None and not isinstance(value, Mapping))
    if compared and equal(path, known, value, sets, documents, alike):
        return known
    if isinstance(value, Mapping) and isinstance(known, Mapping):
        return {
            key: _normalized(f"{path}.{key}", member, known.get(key), sets, documents, alike)
            for key, member in value.items()
        }
    return value
