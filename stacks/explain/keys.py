"""All keys of an environment file, and the one that a user means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks.explain import types
from stacks.settings import NAMESPACE, Settings
from stacks.settings.generated import ComponentTopic, descriptions

ANY: Final = "*"
"""In a path, an entry of a list or of a map."""
_MOST_NEAR: Final = 5


@dataclass(frozen=True)
class Key:
    """A key of the file. path: `("gpu_pools", "*", "max")`. owner: the object that it is a key of."""

    path: tuple[str, ...]
    field: FieldInfo
    owner: type[BaseModel]

    @property
    def dotted(self) -> str:
        """The key as users write it."""
        return ".".join(self.path)

    @property
    def meaning(self) -> str:
        """Its docstring."""
        name = self.path[-1]
        if self.owner is Settings:
            model = next(types.models_in(self.field.annotation))
            parts = [model.__doc__ or "", self.field.description or ""]
        elif self.field.description is None and issubclass(self.owner, ComponentTopic):
            parts = [descriptions(self.owner.argument_type).get(name, "")]
        else:
            parts = [self.field.description or ""]
        return " ".join(" ".join(parts).split())

    @property
    def summary(self) -> str:
        """The first sentence of its meaning."""
        return re.split(r"(?<=[.:])\s(?=[A-Z`])", self.meaning, maxsplit=1)[0]


class UnknownKeyError(Exception):
    """A key that no file can have. The message has the nearest ones."""


@cache
def every() -> dict[tuple[str, ...], Key]:
    """Return all keys by their paths, in the order of the schema."""
    return {key.path: key for key in _below(Settings, ())}


def children(path: Sequence[str]) -> list[Key]:
    """Return the keys of an object, or of the entries of a list or map."""
    inside = tuple(path)
    below = [key for key in every().values() if key.path[: len(inside)] == inside and key.path != inside]
    least = min((len(key.path) for key in below), default=0)
    return [key for key in below if len(key.path) == least]


def resolve(text: str) -> tuple[Key, tuple[str, ...]]:
    """Return the key that a user means, and its path with the user's names of entries.

    text: `cluster.version`, `gpu_pools.*.max`, `gpu_pools.training.max`, `lakehouse.tables[0].name`, also
    without the names of entries (`gpu_pools.max`). Raises UnknownKeyError.
    """
    parts = [
        part or ANY for part in re.sub(r"\[(\w*|\*)\]", r".\1", text.removeprefix(f"{NAMESPACE}:")).split(".")
    ]
    while parts and parts[-1] == ANY and len(parts) > 1:
        parts.pop()
    path, stated = tuple[str, ...](), tuple[str, ...]()
    for part in parts:
        path, stated = _step(path, stated, part, text)
    if path and path[-1] == ANY:
        path = path[:-1]  # An entry, which has the keys of its map.
    return every()[path], stated


def _step(
    path: tuple[str, ...], stated: tuple[str, ...], part: str, text: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the paths one part further on: the key's, and that with the user's names of entries."""
    known = every()
    if (*path, part) in known:
        return (*path, part), (*stated, part)
    has_entries = any(key[: len(path) + 1] == (*path, ANY) for key in known)
    if path and has_entries:
        if (*path, ANY, part) in known:
            return (*path, ANY, part), (*stated, ANY, part)
        if path[-1] != ANY:
            return (*path, ANY), (*stated, part)
    if path and path in known and not children(path):
        if isinstance(known[path].field.annotation, type):
            raise UnknownKeyError(f"{text!r}: {'.'.join(path)} has no keys, it is a value")
        return path, stated  # The entry of a map or a list of plain values.
    raise UnknownKeyError(_unknown(path, part, text))


def _unknown(path: tuple[str, ...], part: str, text: str) -> str:
    siblings = {key.path[-1]: key for key in (children(path) if path else _topics())}
    near = [key.dotted for key in siblings.values() if key.path[-1] in part.split("_")]
    near += [key.dotted for key in siblings.values() if part in types.choices(key.field.annotation)]
    if not path:
        near += [key.dotted for key in every().values() if key.path[-1] == part]
    if not near:
        near = [siblings[name].dotted for name in difflib.get_close_matches(part, siblings, n=3, cutoff=0.6)]
    if not path and not near:
        near = difflib.get_close_matches(text, [key.dotted for key in every().values()], n=3, cutoff=0.7)
    near = list(dict.fromkeys(near))[:_MOST_NEAR]
    where = f"{'.'.join(path)} has no key {part!r}" if path else f"no topic {part!r}"
    if near:
        return f"{where}; did you mean {' or '.join(near)}?"
    return f"{where}; expected one of {', '.join(siblings)}"


def _topics() -> list[Key]:
    return [key for key in every().values() if len(key.path) == 1]


def _below(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        here = (*path, name)
        yield Key(here, field, model)
        for inside, block in types.blocks(field.annotation):
            yield from _below(block, (*here, *inside))
