"""The table itself: every Google resource type by its token."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from twin.gcp import services
from twin.gcp.resources.base import GcpResource


@cache
def table() -> dict[str, GcpResource]:
    """All entries by token; one in any service's folder is found."""
    for _ in services.modules("resources"):
        pass
    return {kind.token: kind() for kind in _concrete(GcpResource)}


def _concrete(parent: type[GcpResource]) -> Iterator[type[GcpResource]]:
    for kind in parent.__subclasses__():
        if hasattr(kind, "token"):
            yield kind
        yield from _concrete(kind)
