"""Which controllers a twin runs: a file that `twin start --controllers` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from twin.instances import Instance
from twin.private_files import write_private


@dataclass(frozen=True)
class Build:
    """A built controller. version: without `v`. binary: its path. program: what it is a version of, where
    that has another name."""

    name: str
    version: str
    binary: str
    program: str = ""


def read(instance: Instance) -> Mapping[str, Build]:
    """Return the controllers that a twin runs, by name."""
    try:
        return {entry["name"]: Build(**entry) for entry in json.loads(_file(instance).read_text())}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def versions(instance: Instance) -> Mapping[str, Mapping[str, Build]]:
    """Return the builds of each program by version."""
    programs: dict[str, dict[str, Build]] = {}
    for build in read(instance).values():
        programs.setdefault(build.program or build.name, {})[build.version] = build
    return programs


def write(instance: Instance, builds: Iterable[Build]) -> None:
    """Set the controllers that a twin runs; its controller process reads them within a second."""
    write_private(_file(instance), json.dumps([asdict(build) for build in builds], indent=1) + "\n")


def _file(instance: Instance) -> Path:
    return instance.folder / "kubernetes" / "controllers.json"
