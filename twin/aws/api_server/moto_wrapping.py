"""Functions of the twin in the place of those of moto."""

from __future__ import annotations

from typing import Any


def wrap(kind: Any, **functions: Any) -> None:
    """Replace functions of a class or module, once: the original of `_name` is `twin_name` then."""
    for name, function in functions.items():
        original = f"twin_{name.strip('_')}"
        if not hasattr(kind, original):
            setattr(kind, original, getattr(kind, name))
            setattr(kind, name, function)
