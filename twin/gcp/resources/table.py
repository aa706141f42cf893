"""The table itself: every Google resource type by its token."""

from __future__ import annotations

from functools import cache

from twin.core import registry
from twin.gcp import services
from twin.gcp.resources.base import GcpResource


@cache
def table() -> dict[str, GcpResource]:
    """All entries by token; one in any service's folder is found."""
    for _ in services.modules("resources"):
        pass
    return registry.by_token(GcpResource)
