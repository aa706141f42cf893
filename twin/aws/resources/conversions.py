"""Values as the provider has them and as the API has them: what `encode` and `decode` of a field name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from twin.aws.resources.fields import boolean_text, json_text, text_of_boolean
from twin.provider_interface import UNKNOWN

Conversion = Callable[[Any], Any]


def named(name: str) -> Conversion | None:
    """The function of this name; `members:Key` is one with an argument. None where it is a service's."""
    function, _, argument = name.partition(":")
    return _WITH_ARGUMENT[function](argument) if argument else _ALL.get(function)


def _pairs(value: Any) -> Any:
    return [{"Key": key, "Value": value[key]} for key in sorted(value)] if isinstance(value, dict) else value


def _map_of_pairs(value: Any) -> Any:
    return {element["Key"]: element.get("Value", "") for element in value}


def _time(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else str(value)


def _one(value: Any) -> Any:
    return value if value is UNKNOWN else [value]


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, (int, float)) else value


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


def _is_true(value: Any) -> Any:
    return value == "true" if isinstance(value, str) else value


def parsed(value: Any) -> Any:
    """What a JSON text states; the text itself where it is none, which a rule refuses."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def document(value: Any) -> Any:
    """IAM answers documents URL-encoded; botocore decodes them into objects where the model says so."""
    if isinstance(value, str):
        return unquote(value) if value.startswith("%7B") else value
    return json.dumps(value, separators=(",", ":"))


def _members(key: str) -> Conversion:
    return lambda values: [{key: value} for value in values]


def _of_members(key: str) -> Conversion:
    return lambda values: [value[key] for value in values if key in value]


_ALL: Final[dict[str, Conversion]] = {
    "json_text": json_text,
    "boolean_text": boolean_text,
    "text_of_boolean": text_of_boolean,
    "pairs": _pairs,
    "map_of_pairs": _map_of_pairs,
    "time": _time,
    "one": _one,
    "lower": _lower,
    "text": _text,
    "number": _number,
    "is_true": _is_true,
    "parsed": parsed,
    "document": document,
}
_WITH_ARGUMENT: Final[dict[str, Callable[[str], Conversion]]] = {
    "members": _members,
    "of_members": _of_members,
}
