"""Customer-managed keys on both clouds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .policy import Outcome, Policy, Violation, check_each
from .properties import Deferred, Properties, describe
from .resource import Resource
from .values import UNKNOWN

_KEYS: Final = ("aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey")
_TYPE: Final = 2


@dataclass(frozen=True)
class Key:
    """Where resources of a type name the key that encrypts them. A row of a policy's table."""

    path: str
    """The property path of the key."""
    encrypted: str
    """What the key encrypts, for messages: `its rows`."""
    enabled_by: str = ""
    """The property path that must be true, or one of `modes`, for the key to be used."""
    modes: tuple[Any, ...] = (True, "true")
    """The values of `enabled_by` with which the key is used."""
    entries: str = ""
    """The property path of a list: every entry names a key, and the other paths are below it."""
    unless: Mapping[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    """Property path -> values with which the resource needs no key; an empty tuple means any value."""


def require_customer_keys(policy: Policy, keys: Mapping[str, Key | tuple[Key, ...]]) -> None:
    """Register a rule for each type of a table: its resources must name a customer-managed key. A type may
    have several rows."""

    @policy.on(*keys)
    def rule(resource: Resource) -> Iterator[Outcome]:
        """Require the keys of the table's rows."""
        rows = keys[resource.type]
        yield from check_each(rows if isinstance(rows, tuple) else (rows,), _check, resource)


def _check(key: Key, resource: Resource) -> Iterator[Outcome]:
    if any(_matches(resource, path, values) for path, values in key.unless.items()):
        return
    if key.entries:
        yield from check_each(resource.entries(key.entries), _require, key, resource)
    else:
        yield from _require(resource, key, resource)


def _matches(resource: Resource, path: str, values: tuple[Any, ...]) -> bool:
    if values:
        return resource.known(path) in values
    # An unknown value is set; below an unknown object it may be missing.
    parent = path.rpartition(".")[0]
    if parent:
        resource.known(parent)
    return resource.raw(path) is not None


def _require(properties: Properties, key: Key, resource: Resource) -> Iterator[Outcome]:
    if key.enabled_by:
        value = properties.known(key.enabled_by)
        if value not in key.modes:
            problem = f"{describe(value)}, so {key.encrypted} have no customer-managed key"
            yield Violation(properties.where(key.enabled_by), problem)
            return
    yield from customer_key(resource, properties.where(key.path), key.encrypted)


def customer_key(resource: Resource, path: str, encrypted: str) -> Iterator[Outcome]:
    """Yield a violation unless the property at this path names a customer-managed key.

    encrypted: what the key encrypts, `its rows`. `alias/aws/...` is a key of AWS, whose policy cannot be
    changed. A key of the program that is yet to be created counts as named.
    """
    key = resource.raw(path)
    if key is UNKNOWN:
        if not any(map(_is_key, resource.sources(path))):
            yield Deferred(path)
    elif not key:
        yield Violation(
            path, f"names no key, so {encrypted} have a provider-managed key that cannot be revoked"
        )
    elif isinstance(key, str) and "alias/aws/" in key:
        yield Violation(path, f"names {key!r}, a key of AWS whose policy cannot be changed")


def _is_key(urn: str) -> bool:
    """Return whether a URN (urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME) is that of a key."""
    parts = urn.split("::")
    return len(parts) > _TYPE and parts[_TYPE].rpartition("$")[2] in _KEYS
