"""What the program registers for each environment file, by the recording monitor."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pulumi

from stacks import program
from stacks.loading import load_file
from stacks.settings import Settings
from tests.components.recording import Recording, record

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "environments").glob("Pulumi.*.yaml"))
STACKS = [file.stem.removeprefix("Pulumi.") for file in FILES]
NAMES = Path(__file__).parent / "names"
RENEW = "where the change is meant, renew the record with: python -m tests.stacks.environments"


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


def settings_of(stack: str, **environment: Any) -> Settings:
    """An environment's settings, with some keys of its environment topic changed."""
    settings = load_file(ROOT / "environments" / f"Pulumi.{stack}.yaml")
    changed = settings.environment.model_copy(update=environment)
    return settings.model_copy(update={"environment": changed})


@cache
def built(stack: str, teardown: bool | str = False) -> Built:
    """The environment as its file says, but for its `teardown`."""
    return build(settings_of(stack, teardown=teardown))


def build(settings: Settings) -> Built:
    """Build the program's layers from these settings."""
    seen: dict[str, Any] = {}

    async def look(name: str, output: pulumi.Output[Any]) -> bool:
        seen[name] = await output.future()
        return await output.is_secret()

    def build_and_look() -> None:
        layers = program.build(settings)
        seen["looking"] = [
            asyncio.ensure_future(look(name, layer.exported())) for name, layer in layers.by_name().items()
        ]

    recording = record(build_and_look, stack=settings.environment.name)
    secret = any(looked.result() for looked in seen.pop("looking"))
    return Built(settings, recording, seen.pop("foundation"), seen, secret)


def names(stack: str) -> str:
    """Type and logical name of everything that an environment registers, a line each."""
    return "".join(f"{line}\n" for line in built(stack).recording.names())


def record_of(stack: str) -> Path:
    """Where the names of an environment are recorded."""
    return NAMES / f"{stack}.txt"


def main() -> None:
    """Record the names anew. A name that changes is a resource that is made anew, or takes an alias."""
    for stack in STACKS:
        record_of(stack).write_text(names(stack))
        sys.stdout.write(f"wrote {record_of(stack).relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
