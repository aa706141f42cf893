"""The programs whose Pods run as processes where they are selected (`--controllers`): of monitoring, gateways
and steps of workflows.

Controllers create these Pods. Their programs are written in Go or C++: nothing in them can be changed when
they start, as in Python programs (hook/sitecustomize.py). What differs on this machine is in their
command and in the configuration that the operator generates (`configurations`). The executor of Argo
Workflows reads in a variable where the mounts of its container are.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from twin.instances import Instance
from twin.kubernetes.controllers import selection
from twin.kubernetes.processes.configurations import divided


@dataclass(frozen=True)
class PodProgram:
    """A program of a container.

    name: in the selection. repository: the end of its image's repository. options: further arguments, after
    those of the container. waits: options with a duration that the twin's clock divides, and their defaults.
    """

    name: str
    repository: str
    options: tuple[str, ...] = ()
    waits: Mapping[str, str] = field(default_factory=dict[str, str])

    def words(self, factor: float) -> tuple[str, ...]:
        """Return the further arguments. factor: of the twin's clock."""
        # Without it, none: the defaults may change, and a container may have the option.
        waits = self.waits if factor != 1 else {}
        divide = (f"{name}={divided(value, factor, SHORTEST_WAIT)}" for name, value in waits.items())
        return (*self.options, *divide)

    @property
    def path(self) -> str:
        """Where the image has it."""
        return f"{FOLDER}/{self.name}"


FOLDER: Final = "/bin"
EXECUTOR: Final = "argoproj/argoexec"
"""The image of the executor of Argo Workflows."""
EXECUTOR_PATH: Final = "/var/run/argo/argoexec"
"""Where its init container puts it for the other containers of a step."""
SHORTEST_WAIT: Final = 5.0
"""Seconds of the shortest wait of an option. Alertmanager takes an alert for resolved four waits after it was
sent last: on a machine that is busy a shorter one would end alerts that go on."""
PROGRAMS: Final = tuple(
    PodProgram(name, table["repository"], tuple(table.get("options", ())), table.get("waits", {}))
    for name, table in tomllib.loads(Path(__file__).with_name("programs.toml").read_text("utf-8")).items()
)


class Selected:
    """The programs that a twin runs. They change while it runs."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def binary(self, program: PodProgram) -> Path | None:
        """Return the file of a program, or None where it is not selected."""
        build = selection.read(self._instance).get(program.name)
        return None if build is None else Path(build.binary)
