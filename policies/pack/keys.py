"""Keys that a customer holds, on both clouds: whether a resource names one."""

from __future__ import annotations

from collections.abc import Iterator

from .policy import Finding, Judgement, Undecided
from .resource import Resource
from .values import UNKNOWN


def customer_key(resource: Resource, path: str, what: str) -> Iterator[Judgement]:
    """Nothing where the property at this path names a customer's key. what: what is encrypted, `its rows`.
    An `alias/aws/...` is a key of AWS, whose policy nobody can change."""
    key = resource.get(path)
    if key is UNKNOWN:
        yield Undecided(path)
    elif not key:
        yield Finding(path, f"names no key, so {what} lie under one of the provider's that nobody can revoke")
    elif isinstance(key, str) and "alias/aws/" in key:
        yield Finding(path, f"names {key!r}, a key of AWS whose policy nobody can change")
