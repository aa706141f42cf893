"""What the controllers of a twin do: a file in its folder, for `twin status`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from twin.instances import Instance
from twin.private_files import write_private


@dataclass(frozen=True)
class State:
    """A selected controller. state: in words. restarts: how often its process was started again."""

    name: str
    state: str
    restarts: int = 0


@dataclass(frozen=True)
class Report:
    """The selected controllers, and what is set aside: webhook configurations and aggregated APIs."""

    controllers: tuple[State, ...] = ()
    set_aside: tuple[str, ...] = field(default=())


def read(instance: Instance) -> Report:
    """Return the last report; an empty one where there is none."""
    try:
        document = json.loads(_file(instance).read_text())
        states = tuple(State(**entry) for entry in document["controllers"])
        return Report(states, tuple(document["set_aside"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Report()


def write(instance: Instance, controllers: Sequence[State], set_aside: Sequence[str]) -> None:
    """Write the report where it has changed."""
    report = Report(tuple(controllers), tuple(set_aside))
    if report != read(instance):
        write_private(_file(instance), json.dumps(asdict(report), indent=1) + "\n")


def _file(instance: Instance) -> Path:
    return instance.folder / "run" / "controllers.json"
