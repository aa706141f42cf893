"""Registered Kubernetes objects whose API a minor version no longer serves, by the table removed_apis.toml.

The resources of a preview have the objects of rendered charts, too. No API server is asked: one of the
present version serves what the next one removes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from cli.estimate.resources import Resource
from cli.upgrades.facts import minor

_TABLE: Final = Path(__file__).with_name("removed_apis.toml")


@dataclass(frozen=True)
class Api:
    """An API of one kind. deprecated, removed: minor versions of Kubernetes. use: the API that replaces
    it."""

    name: str
    deprecated: str
    removed: str
    use: str = ""

    def is_removed(self, version: str) -> bool:
        """Whether a minor version no longer serves it."""
        return minor(version) >= minor(self.removed)

    def is_deprecated(self, version: str) -> bool:
        """Whether a minor version still serves it, and states that a later one does not."""
        return minor(self.deprecated) <= minor(version) < minor(self.removed)

    @property
    def advice(self) -> str:
        """What to use in its place."""
        return f"use {self.use}" if self.use else "nothing replaces it"


@cache
def table() -> dict[str, Api]:
    """Return `group/version Kind` -> API."""
    content = tomllib.loads(_TABLE.read_text())
    return {name: Api(name, **entry) for name, entry in content["apis"].items()}


def used(resources: Iterable[Resource]) -> dict[Api, list[str]]:
    """Return API of the table -> the logical names of the resources that use it."""
    result: dict[Api, list[str]] = {}
    for resource in resources:
        api = table().get(f"{resource.get('apiVersion', '')} {resource.get('kind', '')}")
        if api is not None:
            result.setdefault(api, []).append(resource.name)
    return result


def removed_in(version: str, apis: dict[Api, list[str]]) -> list[str]:
    """Return a reason for each API in use that a minor version no longer serves."""
    return [
        f"{api.name}, of {', '.join(names)}, is removed in {api.removed}: {api.advice}"
        for api, names in apis.items()
        if api.is_removed(version)
    ]


def deprecated_in(version: str, apis: dict[Api, list[str]]) -> list[str]:
    """Return a note for each API in use that a minor version deprecates."""
    return [
        f"{api.name}, of {', '.join(names)}, is deprecated, and removed in {api.removed}: {api.advice}"
        for api, names in apis.items()
        if api.is_deprecated(version)
    ]
