"""Which controllers a twin runs: a file that `twin start --controllers` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from twin.kubernetes.certificates import write_private
from twin.world import World


@dataclass(frozen=True)
class Build:
    """A built controller. version: without `v`. binary: its path. program: what it is a version of, where
    that has another name."""

    name: str
    version: str
    binary: str
    program: str = ""


def read(world: World) -> Mapping[str, Build]:
    """Return the controllers that a twin runs, by name."""
    try:
        return {entry["name"]: Build(**entry) for entry in json.loads(_file(world).read_text())}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def versions(world: World) -> Mapping[str, Mapping[str, Build]]:
    """Return the builds of each program by version."""
    programs: dict[str, dict[str, Build]] = {}
    for build in read(world).values():
        programs.setdefault(build.program or build.name, {})[build.version] = build
    return programs


def write(world: World, builds: Iterable[Build]) -> None:
    """Set the controllers that a twin runs; its controller process reads them within a second."""
    write_private(_file(world), json.dumps([asdict(build) for build in builds], indent=1) + "\n")


def _file(world: World) -> Path:
    return world.folder / "kubernetes" / "controllers.json"
