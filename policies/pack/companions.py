"""Resources that say something of another: a bucket's versioning, its policy, its lifecycle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from .resource import Resource, Stack
from .values import UNKNOWN, holds_unknown

BUCKETS: Final = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
"""S3's general purpose buckets; the second token is what older programs have."""
_NAMES: Final = ("bucket", "id", "name", "arn")
_OF_BUCKETS: Final = re.compile(r"aws:s3/(bucket\w+):(Bucket\w+)")


class Companions:
    """Of a program, what the resources of some types say of others.

    versions = Companions(stack, "bucket", "aws:s3/bucketVersioning:BucketVersioning")
    """

    def __init__(self, stack: Stack, key: str, *types: str) -> None:
        """key: the property that tells whom they are about. What older programs call a type counts, too:
        `aws:s3/bucketVersioningV2:BucketVersioningV2`."""
        self._key = key
        self._all = stack.of(*types, *(_OF_BUCKETS.sub(r"aws:s3/\1V2:\2V2", each) for each in types))

    def of(self, resource: Resource) -> Sequence[Resource]:
        """Those that are about this resource: by where the property comes from, or by its value."""
        names = {value for value in map(resource.props.get, _NAMES) if isinstance(value, str)}
        return [each for each in self._all if self._is_about(each, resource.urn, names)]

    def _is_about(self, each: Resource, urn: str, names: set[str]) -> bool:
        value = each.props.get(self._key)
        return urn in each.property_dependencies.get(self._key, ()) or (
            isinstance(value, str) and value in names
        )

    @property
    def strays(self) -> bool:
        """Whether there is one of which nobody knows yet whom it is about."""
        return any(
            each.props.get(self._key) is UNKNOWN and not each.property_dependencies.get(self._key)
            for each in self._all
        )


def expire(lifecycles: Sequence[Resource], within: int | None = None) -> bool | None:
    """Whether every object of an S3 bucket expires by its lifecycles, within so many days where that is
    asked; None where it is not known yet."""
    narrow: list[bool | None] = []
    for each in lifecycles:
        for path, rule in each.items("rules"):
            # Of a rule that is about delete markers alone the provider reads back 0 days.
            when = [each.get(f"{path}.expiration.{key}") for key in ("days", "date")]
            if cast("dict[str, Any]", rule).get("status") != "Enabled" or not any(map(_is_set, when)):
                continue
            if within is not None and UNKNOWN in when:
                narrow.append(None)
            elif within is None or 0 < float(when[0] or 0) <= within:
                narrow.append(is_narrow(cast("dict[str, Any]", rule)))
    return True if False in narrow else None if None in narrow else False


def _is_set(value: Any) -> bool:
    return value is UNKNOWN or value not in (None, 0, "")


def is_narrow(rule: Mapping[str, Any]) -> bool | None:
    """Whether a rule of a bucket's lifecycle is about some objects alone; None where that is not known yet.
    The provider reads back what is empty: `prefix: ""`, `objectSizeGreaterThan: 0`."""
    chosen = rule.get("filter")
    parts = [
        rule.get("prefix"),
        *(cast("Mapping[str, Any]", chosen).values() if isinstance(chosen, Mapping) else [chosen]),
    ]
    if any(not holds_unknown(part) and bool(part) for part in parts):
        return True
    return None if any(map(holds_unknown, parts)) else False
