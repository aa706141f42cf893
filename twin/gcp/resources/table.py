"""The table itself: every Google resource type by its token."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import twin.gcp.resources
from twin.gcp.resources.base import GcpResource


@cache
def table() -> dict[str, GcpResource]:
    """All entries by token; one in any module of this folder is found."""
    for module in iter_modules(twin.gcp.resources.__path__):
        import_module(f"{twin.gcp.resources.__name__}.{module.name}")
    return {kind.token: kind() for kind in _concrete(GcpResource)}


def _concrete(parent: type[GcpResource]) -> Iterator[type[GcpResource]]:
    for kind in parent.__subclasses__():
        if hasattr(kind, "token"):
            yield kind
        yield from _concrete(kind)
