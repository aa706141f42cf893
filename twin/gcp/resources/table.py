"""The table itself: every Google resource type by its token."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from twin.core import registry
from twin.gcp import services
from twin.gcp.resources import stated
from twin.gcp.resources.base import GcpResource


@cache
def table() -> dict[str, GcpResource]:
    """All entries by token: classes with one, and those of the services' resources.toml alone."""
    for _ in services.modules("resources"):
        pass
    bases = {base_class.__name__: base_class for base_class in _bases(GcpResource)}
    types = registry.by_token(GcpResource)
    for service, token, base in stated.rest(frozenset(types)):
        name = token.rpartition(":")[2]
        module = f"{services.__name__}.{service}.resources"
        kind = type(name, (bases[base or "GcpResource"],), {"token": token, "__module__": module})
        types[token] = kind()
    return types


def _bases(parent: type[GcpResource]) -> Iterator[type[GcpResource]]:
    """The classes that are no type themselves."""
    yield parent
    for kind in parent.__subclasses__():
        if "token" not in vars(kind):
            yield from _bases(kind)
