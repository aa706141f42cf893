"""A provider's own configuration (`pulumi:providers:aws`): nested values travel as JSON text."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from twin.checks.check import check
from twin.checks.sdk import Sdk
from twin.checks.types import Scalar
from twin.property_values import compact, loads_config
from twin.provider_interface import UNKNOWN, Cloud, Failure, Props

_OF_THE_ENGINE: Final = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "parameterization"})


def decode(sdk: Sdk, raw: Mapping[str, Any]) -> Props:
    """The configuration with its nested values as values; what is no JSON stays text, for the check."""
    config: Props = {}
    for key, value in compact(raw).items():
        if key in _OF_THE_ENGINE:
            continue
        property = sdk.provider.get(key)
        if isinstance(value, str) and property is not None and property.type != Scalar("string"):
            with contextlib.suppress(ValueError):
                value = loads_config(value)
        config[key] = value
    return config


def errors(cloud: Cloud, sdk: Sdk, config: Props) -> Sequence[Failure]:
    """What is wrong with it: by the SDK's types, then by the cloud's own rules."""
    failures = check(sdk, f"pulumi:providers:{cloud.name}", sdk.provider, config)
    return failures or cloud.check_config(config)


def changed(old: Props, new: Props) -> list[str]:
    """The keys that differ; an unknown value may differ."""
    return sorted(key for key in {*old, *new} if new.get(key) is UNKNOWN or old.get(key) != new.get(key))
