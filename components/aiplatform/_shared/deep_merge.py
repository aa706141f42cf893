"""One object laid over another: what a profile, or a component, gives and its user overrides."""

from collections.abc import Mapping
from typing import Any


def overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`: objects merge, lists and scalars replace."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = overlaid(below, value)  # pyright: ignore[reportUnknownArgumentType]
        else:
            result[key] = value
    return result
