"""The programs of monitoring whose Pods run as processes where they are selected (`--controllers`).

The Prometheus operator creates these Pods. Their programs are written in Go: nothing in them can be changed
when they start, as in Python programs (hook/sitecustomize.py). What differs on this machine is in their
command and in the configuration that the operator generates (`configurations`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twin.kubernetes.controllers import selection
from twin.world import World


@dataclass(frozen=True)
class PodProgram:
    """A program of a container.

    name: in the selection. repository: the end of its image's repository. options: further arguments, after
    those of the container.
    """

    name: str
    repository: str
    options: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where the image has it."""
        return f"{FOLDER}/{self.name}"


FOLDER: Final = "/bin"
PROGRAMS: Final = (
    # Its default is all interfaces of the machine, at a port that another Pod may use.
    PodProgram("prometheus", "prometheus/prometheus", ("--web.listen-address=0.0.0.0:9090",)),
    PodProgram("alertmanager", "prometheus/alertmanager"),
    PodProgram("prometheus-config-reloader", "prometheus-operator/prometheus-config-reloader"),
)


class Selected:
    """The programs that a twin runs. They change while it runs."""

    def __init__(self, world: World) -> None:
        self._world = world

    def binary(self, program: PodProgram) -> Path | None:
        """Return the file of a program, or None where it is not selected."""
        build = selection.read(self._world).get(program.name)
        return None if build is None else Path(build.binary)
