"""The table itself: every AWS resource type by its token."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from twin.aws import services
from twin.aws.resources.base import AwsResource


@cache
def table() -> dict[str, AwsResource]:
    """All entries by token; one in any service's folder is found."""
    for _ in services.modules("resources"):
        pass
    return {kind.token: kind() for kind in _concrete(AwsResource)}


def _concrete(parent: type[AwsResource]) -> Iterator[type[AwsResource]]:
    for kind in parent.__subclasses__():
        if hasattr(kind, "token"):
            yield kind
        yield from _concrete(kind)
