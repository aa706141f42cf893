"""The services of Google Cloud, a folder each, by the API's name in its discovery document.

| module or folder | what is in it |
|---|---|
| `resources` | resource types of the provider: an entry each |
| `functions` | the provider's functions |
| `operations` | how the API's methods answer (`twin.gcp.methods.handles`) |
| `validation` | what the API refuses |
| `permissions` | the rights that a method needs |
| `data` | facts and what they mean |
| `resources.toml` | what a resource type is, by token (`twin.gcp.resources.stated`) |
| `methods.toml` | collections with the standard methods (`twin.gcp.methods.standard_methods`) |
| `rules.toml` | what must hold of other resources (`twin.gcp.methods.rules`) |
| `tables.toml` | facts as tables |

A module is found by its place: nothing else lists it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final

from twin.core import registry

SAME: Final = {"sql": "sqladmin", "biglakeiceberg": "biglake"}
"""Further names by which methods call an API."""


def modules(*kinds: str) -> Iterator[ModuleType]:
    """Import the modules of these kinds (`resources`) of all services, and yield them."""
    for service in iter_modules(__path__):
        yield from of_service(service.name, *kinds)


def of_service(name: str, *kinds: str) -> Iterator[ModuleType]:
    """Import the modules of these kinds of one service, and yield them."""
    yield from registry.modules(f"{__name__}.{name}", kinds)


def has_operations(api: str) -> bool:
    """Return whether the twin answers methods of an API."""
    name = f"{__name__}.{SAME.get(api, api)}"
    return find_spec(name) is not None and find_spec(f"{name}.operations") is not None


@cache
def entries(service: str, file: str) -> Mapping[str, Any]:
    """A file of a service without its ending (`methods`), with tuples for lists."""
    return frozen(tomllib.loads((Path(__file__).parent / service / f"{file}.toml").read_text()))


def tables(service: str) -> Mapping[str, Any]:
    """The tables of facts of a service."""
    return entries(service, "tables")


def rules(service: str) -> Mapping[str, Any]:
    """The rules of a service's resources by a word of the file (see twin.gcp.methods.rules)."""
    return entries(service, "rules")


def frozen(value: Any) -> Any:
    """A value with tuples for lists."""
    if isinstance(value, dict):
        return {key: frozen(element) for key, element in value.items()}
    return tuple(frozen(element) for element in value) if isinstance(value, list) else value


def copied(value: Any) -> Any:
    """A value of a file, as a request or a body holds it."""
    if isinstance(value, Mapping):
        return {key: copied(element) for key, element in value.items()}
    return [copied(element) for element in value] if isinstance(value, tuple) else value
