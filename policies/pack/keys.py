"""Keys that a customer holds, on both clouds: whether a resource names one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .policy import Finding, Judgement, Undecided
from .resource import Resource
from .values import UNKNOWN

_KEYS: Final = ("aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey")
_TYPE: Final = 2


def customer_key(resource: Resource, path: str, what: str) -> Iterator[Judgement]:
    """Nothing where the property at this path names a customer's key. what: what is encrypted, `its rows`.
    An `alias/aws/...` is a key of AWS, whose policy nobody can change. In a stack one that is not there yet
    is a customer's where it comes from a key of the program."""
    key = resource.get(path)
    if key is UNKNOWN:
        if not any(map(_is_key, resource.comes_from(path))):
            yield Undecided(path)
    elif not key:
        yield Finding(path, f"names no key, so {what} lie under one of the provider's that nobody can revoke")
    elif isinstance(key, str) and "alias/aws/" in key:
        yield Finding(path, f"names {key!r}, a key of AWS whose policy nobody can change")


def _is_key(urn: str) -> bool:
    """Whether it is a key's: urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME."""
    parts = urn.split("::")
    return len(parts) > _TYPE and parts[_TYPE].rpartition("$")[2] in _KEYS
