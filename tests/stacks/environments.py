"""What the program registers for each environment file, by the recording monitor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pulumi

from stacks import foundation, program
from stacks.loading import SettingsError, load_file
from stacks.settings import Layers, Settings
from stacks.settings.composition import LayerName
from tests.components.recording import Recording, record

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "environments").glob("Pulumi.*.yaml"))
REGISTRY = "111122223333.dkr.ecr.us-west-2.amazonaws.com/acme"
"""Where the images of tests are: a registry that policies allow."""
STACKS = [file.stem.removeprefix("Pulumi.") for file in FILES]


@dataclass(frozen=True)
class Built:
    """One environment: its settings, what was registered, and the layer's exported value."""

    settings: Settings
    recording: Recording
    exported: dict[str, Any]
    """Of the first layer."""
    above: dict[str, dict[str, Any]]
    """Of the layers above it, by their names."""
    secret: bool
    """Whether the engine would hide any of them."""


@cache
def _settings(stack: str) -> Settings:
    return load_file(ROOT / "environments" / f"Pulumi.{stack}.yaml")


def settings_of(stack: str, **environment: Any) -> Settings:
    """Return an environment's settings, with some keys of its environment topic changed."""
    settings = _settings(stack)
    changed = settings.environment.model_copy(update=environment)
    return settings.model_copy(update={"environment": changed})


class _FirstComponentError(Exception):
    """The program has reached its first component."""


def problems_before_components(settings: Settings) -> list[str]:
    """Run the foundation up to its first component; return the problems that stop it before."""
    with mock.patch.object(foundation, "Network", side_effect=_FirstComponentError):
        try:
            foundation.build(settings)
        except SettingsError as error:
            return list(error.problems)
        except _FirstComponentError:
            return []
    raise AssertionError("the foundation has no network")


def built(stack: str, teardown: bool | str = False) -> Built:
    """Return the environment of a file, with this `teardown`."""
    return build(settings_of(stack, teardown=teardown))


_BUILT: Final[dict[str, Built]] = {}
"""Settings -> what was built of them. A whole environment takes 2 s of CPU."""


def build(settings: Settings, without: Iterable[LayerName] = ()) -> Built:
    """Build the program's layers from these settings, or return what another test has built of the same.

    without: layers that are left out, as if each had a stack, the teams' among them where another is; a test
    without those that it does not look at takes half the time. Tests do not change what is returned.
    """
    separate: list[LayerName] = [*settings.layers.separate, *without]
    settings = settings.model_copy(update={"layers": Layers(separate=separate)})
    # Archived teams are in no field.
    key = f"{settings!r} {settings.archived_teams!r}"
    if key not in _BUILT:
        _BUILT[key] = _build(settings)
    return _BUILT[key]


def _build(settings: Settings) -> Built:
    seen: dict[str, Any] = {}

    async def look(name: str, output: pulumi.Output[Any]) -> bool:
        seen[name] = await output.future()
        return await output.is_secret()

    def build_and_look() -> None:
        layers = program.build(settings)
        seen["looking"] = [
            asyncio.ensure_future(look(name, layer.exported())) for name, layer in layers.by_output().items()
        ]

    recording = record(build_and_look, stack=settings.environment.name)
    secret = any(looked.result() for looked in seen.pop("looking"))
    return Built(settings, recording, seen.pop("foundation"), seen, secret)
