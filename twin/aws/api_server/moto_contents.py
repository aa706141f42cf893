"""What moto's backends hold: now, and before the first request."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

_BORN: Final = "twin_born"


def remember(backend: Any) -> None:
    """Note what a backend holds now as there before anyone asked."""
    setattr(backend, _BORN, {name: set(collection) for name, collection in collections(backend)})


def born(backend: Any) -> dict[str, set[Any]]:
    """What a backend held before anyone asked, by collection."""
    return getattr(backend, _BORN, {})


def collections(backend: Any) -> list[tuple[str, dict[Any, Any]]]:
    """A backend's collections of things, flattened where they are kept by owner (`groups`, `subnets`)."""
    collections: list[tuple[str, dict[Any, Any]]] = []
    members: dict[str, Any] = vars(backend)
    for name, member in members.items():
        if name.startswith("_") and name not in ("_certificates", "_parameters"):
            continue
        if isinstance(member, list) and member and hasattr(member[0], "__dict__"):
            collections.append((name, {_id_of(item, index): item for index, item in enumerate(member)}))
        elif isinstance(member, MutableMapping) and member:
            flat: dict[Any, Any] = {}
            for key, value in list(member.items()):
                if isinstance(value, dict) and type(value).__module__ in ("builtins", "collections"):
                    flat.update(value)
                else:
                    flat[key] = value
            collections.append((name, flat))
    return collections


def _id_of(item: Any, index: int) -> str:
    for name in ("id", "allocation_id", "arn", "name"):
        value = getattr(item, name, None)
        if isinstance(value, str) and value:
            return value
    return str(index)
