"""The table itself: every AWS resource type by its token."""

from __future__ import annotations

from functools import cache

from twin.aws import services
from twin.aws.resources.base import AwsResource
from twin.core import registry


@cache
def table() -> dict[str, AwsResource]:
    """All entries by token; one in any service's folder is found."""
    for _ in services.modules("resources"):
        pass
    return registry.by_token(AwsResource)
