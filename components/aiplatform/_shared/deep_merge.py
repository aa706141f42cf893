"""Merge of nested objects: defaults and the values that override them."""

from collections.abc import Mapping
from typing import Any


def overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` overridden by `over`: objects are merged, lists and scalars replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = overlaid(below, value)  # pyright: ignore[reportUnknownArgumentType]
        else:
            result[key] = value
    return result
