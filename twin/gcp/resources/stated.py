"""What resources.toml of a service states of its resource types, as attributes of their classes.

    ["gcp:pubsub/topic:Topic"]           token
    base = "Wrapped"                     the class that it is one of; by default GcpResource
    title = "Topic"                      as `schema`, by default the last word of the token
    renamed = {a = "b"}                  properties with another name in the API, by path
    only_read = ["etag"]                 properties that no request holds; `read_as` with the API's name
    only_sent = ["params"]               inputs that no answer holds; `sent_as` with the API's name
    local = ["location"]                 inputs that no API knows
    changes = [{when = ["labels"]}]      calls: see Change
    validators = {name = {matches = ""}} by path: a function of validators.py with its arguments
    demands = [{when = {}, words = ""}]  what is refused: see twin.gcp.conditions
    autoname = {max_length = 63}         see AutoName
    inside = {nodeConfig = "nodes"}      by path: a part of the file, with what holds below that path

All other keys are attributes of Entry, or of the base. A class with the token adds what is no data: its
`fields` and `validators` are added to those of the table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from twin.gcp import services
from twin.gcp.resources import validators
from twin.gcp.resources.change import Change
from twin.gcp.resources.fields import Field, local, only_read, only_sent, renamed
from twin.provider_interface import AutoName

_SERVICES: Final = Path(services.__file__).parent
_SETS: Final = frozenset(
    ("computed", "declared", "immutable", "names", "nested_computed", "secrets", "sets", "volatile")
)
_LISTS: Final[Mapping[str, Callable[..., dict[str, Field]]]] = {
    "local": local,
    "only_read": only_read,
    "only_sent": only_sent,
}
_RENAMED: Final[Mapping[str, Callable[[Mapping[str, str]], dict[str, Field]]]] = {
    "renamed": lambda names: renamed(**names),
    "read_as": lambda names: only_read(**names),
    "sent_as": lambda names: {name: Field(api, read=False) for name, api in names.items()},
}


@cache
def of_service(name: str) -> Mapping[str, Mapping[str, Any]]:
    """The entries of a service by token."""
    file = _SERVICES / name / "resources.toml"
    return tomllib.loads(file.read_text()) if file.is_file() else {}


def of_class(module: str, token: str) -> dict[str, Any]:
    """The attributes of a class with a token. module: where the class is, by which its service is known."""
    service = module.removeprefix(f"{services.__name__}.").partition(".")[0]
    table = of_service(service)
    return attributes(table.get(token, {}), table)


def rest(known: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (service, token, base) of the entries without a class. known: the tokens of classes."""
    for file in sorted(_SERVICES.glob("*/resources.toml")):
        service = file.parent.name
        for token, entry in of_service(service).items():
            if token.startswith("gcp:") and token not in known:
                yield service, token, entry.get("base", "")


def attributes(entry: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that an entry of a table states."""
    result: dict[str, Any] = {"fields": {}, "validators": {}}
    for path, part in entry.get("inside", {}).items():
        for name, stated in attributes(table[part], table).items():
            result[name] |= {f"{path}.{below}".lstrip("."): attribute for below, attribute in stated.items()}
    for name, value in entry.items():
        if name in _LISTS:
            result["fields"] |= _LISTS[name](*value)
        elif name in _RENAMED:
            result["fields"] |= _RENAMED[name](value)
        elif name == "validators":
            result["validators"] |= {
                path: _validator(stated_validator) for path, stated_validator in value.items()
            }
        elif name == "changes":
            result["changes"] = tuple(
                Change(**{key: _tuple(argument) for key, argument in call.items()}) for call in value
            )
        elif name == "autoname":
            result["autoname"] = AutoName(**value)
        elif name not in ("base", "inside"):
            result[name] = frozenset(value) if name in _SETS else _tuple(value)
    return {name: value for name, value in result.items() if value != {}}


def _tuple(value: Any) -> Any:
    return tuple(_tuple(element) for element in value) if isinstance(value, list) else value


def _validator(stated: Mapping[str, Any]) -> validators.Validator:
    """The validator of `{between = [1, 7]}`; with `or_empty = true` the empty text passes."""
    [name] = stated.keys() - {"or_empty"}
    argument = stated[name]
    if name == "cidr":
        validator: validators.Validator = validators.cidr
    else:
        validator = getattr(validators, name)(*(argument if isinstance(argument, list) else [argument]))
    return validators.or_empty(validator) if stated.get("or_empty") else validator
