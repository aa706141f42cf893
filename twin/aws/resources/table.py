"""The table itself: every AWS resource type by its token."""

from __future__ import annotations

from functools import cache

from twin.aws import services
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.core import registry


@cache
def table() -> dict[str, AwsResource]:
    """All entries by token; one in any service's folder is found."""
    for _, module in services.modules("resources"):
        for name, base in [*entries.without_class(module)]:
            parent = getattr(module, base) if base else AwsResource
            # The module holds it: a class knows its subclasses only while something else does.
            setattr(module, name, type(name, (parent,), {"__module__": module.__name__}))
    return registry.by_token(AwsResource)
