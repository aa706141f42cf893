"""The argument `kms_key_grants` of components, from the environment's. Pure: no resource, no call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stacks.settings import Settings

KEYS: Final = ("kms_key", "volumes_kms_key")
"""Arguments by which a component takes a key of Google Cloud instead of creating one."""


def takes_grants(args: Mapping[str, Any]) -> bool:
    """Return whether a component grants the use of a key that exists. args: its arguments, or an object of
    them. By the key of a `bucket` that exists, ModelMonitor encrypts nothing."""
    return any(key in args for key in KEYS) and "bucket" not in args


def with_key_grants(settings: Settings, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of a component, or an object of them, with what the environment states of grants on
    keys that exist: the default of `kms_key_grants` where they name such a key."""
    if settings.environment.kms_key_grants or not takes_grants(args):
        return dict(args)
    return {"kms_key_grants": False, **args}
