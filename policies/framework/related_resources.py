"""Resources that configure another one: the versioning, the policy or the lifecycle of a bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from .policy import any_of
from .properties import Deferred, Entry
from .resource import Resource, Stack
from .values import UNKNOWN

BUCKETS: Final = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
"""S3's general purpose buckets; older programs use the second token."""
_NAMES: Final = ("bucket", "id", "name", "arn", "zoneId")
_BUCKET_TYPE: Final = re.compile(r"aws:s3/(bucket\w+):(Bucket\w+)")


class RelatedResources:
    """The resources of some types in a program, by the resource that they configure.

    versioning = RelatedResources(stack, "bucket", "aws:s3/bucketVersioning:BucketVersioning")
    """

    def __init__(self, stack: Stack, key: str, *types: str) -> None:
        """key: the property that names the configured resource. Tokens of older programs
        (`aws:s3/bucketVersioningV2:BucketVersioningV2`) are included."""
        self._key = key
        self._resources = stack.of(*types, *(_BUCKET_TYPE.sub(r"aws:s3/\1V2:\2V2", kind) for kind in types))

    def of(self, target: Resource) -> Sequence[Resource]:
        """Return those that configure this resource, by the source of the property or by its value."""
        names = {value for value in map(target.props.get, _NAMES) if isinstance(value, str)}
        return [resource for resource in self._resources if self._names(resource, target.urn, names)]

    def _names(self, resource: Resource, urn: str, names: set[str]) -> bool:
        value = resource.props.get(self._key)
        return urn in resource.sources(self._key) or (isinstance(value, str) and value in names)

    def require_known_targets(self) -> None:
        """Raise Deferred where a resource is among them whose target is unknown: it may be any."""
        for resource in self._resources:
            if resource.props.get(self._key) is UNKNOWN and not resource.sources(self._key):
                raise Deferred(self._key)


def objects_expire(lifecycles: Sequence[Resource], within_days: int | None = None) -> bool:
    """Return whether every object of an S3 bucket expires by its lifecycle configurations, within so many
    days where a number is given. Raises Deferred where that is unknown."""
    return any_of(rules(lifecycles), _expires_every_object, within_days)


def rules(lifecycles: Sequence[Resource]) -> Iterator[Entry | Deferred]:
    """Yield the rules of lifecycle configurations."""
    for lifecycle in lifecycles:
        try:
            yield from lifecycle.entries("rules")
        except Deferred as deferred:
            yield deferred


def _expires_every_object(rule: Entry, within_days: int | None) -> bool:
    if rule.known("status") != "Enabled" or applies_to_some_objects(rule):
        return False
    days = rule.known("expiration.days")
    # For a rule that is only about delete markers the provider reads back 0 days.
    if within_days is not None:
        return bool(days) and 0 < float(days) <= within_days
    return bool(days or rule.known("expiration.date"))


def applies_to_some_objects(rule: Entry) -> bool:
    """Return whether a rule of a bucket's lifecycle applies only to some objects. Raises Deferred where that
    is unknown. The provider reads back empty values: `prefix: ""`, `objectSizeGreaterThan: 0`."""
    selection: Any = rule.raw("filter")
    keys = cast("dict[str, Any]", selection) if isinstance(selection, dict) else None
    paths = [f"filter.{key}" for key in keys] if keys is not None else ["filter"]
    return any_of(["prefix", *paths], lambda path: bool(rule.fully_known(path)))
