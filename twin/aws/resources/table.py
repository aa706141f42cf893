"""The table itself: every AWS resource type by its token."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import twin.aws.resources
from twin.aws.resources.base import AwsResource


@cache
def table() -> dict[str, AwsResource]:
    """All entries by token; one in any module of this folder is found."""
    for module in iter_modules(twin.aws.resources.__path__):
        import_module(f"{twin.aws.resources.__name__}.{module.name}")
    return {kind.token: kind() for kind in _concrete(AwsResource)}


def _concrete(parent: type[AwsResource]) -> Iterator[type[AwsResource]]:
    for kind in parent.__subclasses__():
        if hasattr(kind, "token"):
            yield kind
        yield from _concrete(kind)
