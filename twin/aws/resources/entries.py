"""Entries of resource types as data: `resources.toml` next to a service's `resources.py`, or `vpc.toml` next to
`vpc.py` in its folder.

A table of the file is a type, by the name of its class; the class has what the type does differently, and a
type without such behavior has no class. The attributes are those of twin/aws/resources/entry.py:

| attribute | form |
|---|---|
| `base` | the class that a type without a class shares with others, `AwsResource` where it is left out |
| `fields` | property -> the API's member, or a table of Field's attributes. `of` may name a table of `[shapes]`, `encode` and `decode` name functions of the module or of twin/aws/resources/conversions.py |
| `create_call`, `read_call`, `delete_call`, `listing`, `add`, `remove` | an operation, or `{ call, params }` |
| `change_call` | a table of Change's attributes, with `call` and `params` |
| `updates` | tables of Update's attributes, with `call` and `params` |
| `tagging` | a table of Tagging's attributes, the name of one of `[taggings]`, or `{ ec2 }` with the kind of EC2's resource |
| `created`, `updated`, `autoname` | a table of the attributes of Wait, of AutoName |
| `refused` | tables of the attributes of twin/aws/resources/refusals.py's Refused |
"""  # noqa: E501 - a table

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from twin.aws.resources import conversions
from twin.aws.resources.calls import Call, Change, Update, Wait
from twin.aws.resources.fields import Field, Fields
from twin.aws.resources.refusals import Refused
from twin.aws.resources.tags import Ec2Tagging, Tagging
from twin.provider_interface import AutoName

_BASE: Final = "base"
_NO_TYPES: Final = frozenset({"shapes", "taggings"})
_FIELD: Final = {"encode", "decode", "of"}


@cache
def read(module: str) -> Mapping[str, Any]:
    """The tables of the file next to a module; none where there is no file."""
    file = Path(sys.modules[module].__file__ or "").with_suffix(".toml")
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def without_class(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The types in the file next to a module that have no class there, each with its base class."""
    for name, table in read(module.__name__).items():
        if name not in _NO_TYPES and not hasattr(module, name):
            yield name, table.get(_BASE, "")


def attributes(module: str, name: str) -> dict[str, Any]:
    """The attributes of a type of the file next to a module; none where the file has no such type."""
    table = read(module).get(name, {})
    return {key: _FORMS.get(key, _value)(module, value) for key, value in table.items() if key != _BASE}


@cache
def shape(module: str, name: str) -> Fields:
    """The fields of an object that several properties, or a function of the module, use."""
    return _fields(module, read(module)["shapes"][name])


def _fields(module: str, fields: Mapping[str, Any]) -> Fields:
    return {name: _field(module, field) for name, field in fields.items()}


def _field(module: str, entry: str | Mapping[str, Any]) -> Field:
    if isinstance(entry, str):
        return Field(entry)
    plain = Field(**{name: value for name, value in entry.items() if name not in _FIELD})
    of = entry.get("of")
    return replace(
        plain,
        of=shape(module, of) if isinstance(of, str) else None if of is None else _fields(module, of),
        encode=_function(module, entry.get("encode")),
        decode=_function(module, entry.get("decode")),
    )


def _function(module: str, name: str | None) -> Callable[[Any], Any] | None:
    if name is None:
        return None
    function = conversions.named(name)
    return getattr(sys.modules[module], name) if function is None else function


def _call(_: str, entry: str | Mapping[str, Any]) -> Call:
    return Call(entry) if isinstance(entry, str) else Call(entry["call"], entry["params"])


def _change(module: str, entry: Mapping[str, Any]) -> Change:
    call = Call(entry["call"], entry.get("params", {})) if "call" in entry else None
    rest = {name: value for name, value in entry.items() if name not in ("call", "params")}
    rest |= {
        "without": frozenset(entry.get("without", ())),
        "fields": _fields(module, entry.get("fields", {})),
    }
    return Change(call, **rest)


def _updates(_: str, entries: list[dict[str, Any]]) -> tuple[Update, ...]:
    return tuple(_update(**entry) for entry in entries)


def _update(call: str, when: list[str], params: Mapping[str, Any] | None = None, **rest: Any) -> Update:
    return Update(tuple(when), Call(call, params or {}), **rest)


def _tagging(module: str, entry: str | Mapping[str, Any]) -> Tagging:
    if isinstance(entry, str):
        return _tagging(module, read(module)["taggings"][entry])
    if "ec2" in entry:
        return Ec2Tagging(entry["ec2"], asked_apart=entry.get("asked_apart", False))
    calls = {name: _call(module, entry[name]) for name in ("add", "remove", "listing") if name in entry}
    return Tagging(**{**entry, **calls})


def _wait(_: str, entry: Mapping[str, Any]) -> Wait:
    states: dict[str, Any] = {name: frozenset(entry.get(name, ())) for name in ("ready", "failed", "stuck")}
    return Wait(**{**entry, **states})


def _refused(_: str, entries: list[dict[str, Any]]) -> tuple[Refused, ...]:
    return tuple(Refused(**entry) for entry in entries)


def _value(_: str, value: Any) -> Any:
    return value


def _tuple(_: str, values: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in values)


def _set(_: str, names: list[str]) -> frozenset[str]:
    return frozenset(names)


def _autoname(_: str, entry: Mapping[str, Any]) -> AutoName:
    return AutoName(**entry)


_SETS: Final = (
    *("not_found", "busy", "documents", "declared", "others_change", "computed", "immutable", "volatile"),
    *("immutable_blocks", "nested_computed", "secrets", "server", "sets"),
)
_FORMS: Final[dict[str, Callable[[str, Any], Any]]] = {
    "fields": _fields,
    **dict.fromkeys(("create_call", "read_call", "delete_call"), _call),
    "change_call": _change,
    "updates": _updates,
    "tagging": _tagging,
    **dict.fromkeys(("created", "updated"), _wait),
    "autoname": _autoname,
    "refused": _refused,
    **dict.fromkeys(("name_prefix", "conflicts", "exactly_one", "at_least_one"), _tuple),
    **dict.fromkeys(_SETS, _set),
}
