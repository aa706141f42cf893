"""Entries that are found by their place: modules of a folder, and subclasses with a token."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, TypeVar

Kind = TypeVar("Kind")


def modules(package: str, kinds: tuple[str, ...]) -> Iterator[ModuleType]:
    """Import the modules of a package that have these names, with what is in them where they are folders."""
    for module in iter_modules(import_module(package).__path__):
        if module.name in kinds:
            yield from _with_parts(f"{package}.{module.name}")


def by_token(parent: type[Kind]) -> dict[str, Kind]:
    """Return token -> an instance of each subclass that has one."""
    return {kind.token: kind() for kind in _concrete(parent)}


def _concrete(parent: type[Any]) -> Iterator[type[Any]]:
    for kind in parent.__subclasses__():
        if hasattr(kind, "token"):
            yield kind
        yield from _concrete(kind)


def _with_parts(name: str) -> Iterator[ModuleType]:
    module = import_module(name)
    yield module
    for part in iter_modules(getattr(module, "__path__", [])):
        yield from _with_parts(f"{name}.{part.name}")
