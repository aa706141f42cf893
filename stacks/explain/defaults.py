"""What applies where a file does not state a key: the value of its profile, or the default of the key."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from stacks.explain import checked
from stacks.explain.keys import ANY, Key
from stacks.profiles import EVERY, PROFILES

MISSING: Final = object()
"""There is no default."""


def of_profile(cloud: str, profile: str, path: Sequence[str]) -> Any:
    """Return the value that a profile states for a key; MISSING where it states none. path: with `*` for the
    entries of a topic whose keys are names."""
    value: Any = PROFILES[cloud][profile].get(path[0], MISSING)
    for part in path[1:]:
        if not isinstance(value, Mapping):
            return MISSING
        value = cast("Mapping[str, Any]", value).get(EVERY if part == ANY else part, MISSING)
    return value


def of_field(field: FieldInfo) -> Any:
    """Return the default of a key in the model of the file; MISSING where a file has to state it."""
    value = field.get_default(call_default_factory=True)
    return MISSING if value is PydanticUndefined else value


def of_key(key: Key) -> Any:
    """Return the default of a key without a profile's value, also that of its component's argument."""
    value = of_field(key.field)
    if value is not None:
        return value
    argument = checked.argument(key)
    if argument is None or argument.default is dataclasses.MISSING:
        if argument is None or argument.default_factory is dataclasses.MISSING:
            return None
        return argument.default_factory()
    return argument.default


def default(key: Key, cloud: str, profile: str) -> Any:
    """Return what applies in a profile; MISSING where the file has to state it, None where nothing does."""
    value = of_profile(cloud, profile, key.path)
    return plain(of_key(key) if value is MISSING else value)


def plain(value: Any) -> Any:
    """Return a default as a file could state it."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True, exclude_none=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        stated = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {name: below for name, below in stated.items() if below not in (None, [], {})}
    if isinstance(value, Mapping):
        return {name: plain(below) for name, below in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple, frozenset, set)):
        return [plain(entry) for entry in cast("Sequence[Any]", value)]
    return value
