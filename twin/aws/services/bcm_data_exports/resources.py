"""Data Exports: exports of costs. Nothing is spent on the twin, so that none is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.provider_interface import Props

_SINGLE: Final[Mapping[str, str]] = {
    "dataQueries": "DataQuery",
    "destinationConfigurations": "DestinationConfigurations",
    "refreshCadences": "RefreshCadence",
    "s3Destinations": "S3Destination",
    "s3OutputConfigurations": "S3OutputConfigurations",
}
"""Lists of one object, which are objects of the API."""
_AS_STATED: Final = "tableConfigurations"
"""Its keys are names of tables and of their settings."""
_REPORTED: Final = "exportArn"
"""What the API reports in the object and does not take."""


def to_api(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    members: Mapping[str, Any] = value
    return {
        _member(name): _object(name, member)
        for name, member in members.items()
        if member is not None and name != _REPORTED
    }


def _member(name: str) -> str:
    return _SINGLE.get(name, name[0].upper() + name[1:])


def _object(name: str, value: Any) -> Any:
    if name == _AS_STATED:
        return value
    return to_api(value[0] if name in _SINGLE and isinstance(value, list) else value)


def from_api(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    members: Mapping[str, Any] = value
    names = {api: name for name, api in _SINGLE.items()}
    properties: Props = {}
    for api, member in members.items():
        name = names.get(api, api[0].lower() + api[1:])
        decoded = member if name == _AS_STATED else from_api(member)
        properties[name] = [decoded] if name in _SINGLE else decoded
    return properties
