"""From the names of files in environments/ to environments and the stacks of their layers.

A stack of a layer is `<environment>-<layer>` (docs/adr/0025); it is deployed on the environment's twin.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from cli.output import did_you_mean

_ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = _ROOT / "environments"
# A file of the program, which is not imported: the command runs without it.
_FILE: Final = tomllib.loads((_ROOT / "stacks" / "layers.toml").read_text())
FOUNDATION_OUTPUT: Final[str] = _FILE["foundation_output"]
"""The output of the environment's own stack that the stacks of layers read."""
LAYERS: Final[dict[str, dict[str, Any]]] = _FILE["layers"]
"""The layers that can have a separate stack, in the order of their deployment -> their `output` and
`components`."""


def stacks(folder: Path = FOLDER) -> list[str]:
    """Return the names of all stacks that have a file."""
    return sorted(
        file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in folder.glob("Pulumi.*.yaml")
    )


def environments(folder: Path = FOLDER) -> list[str]:
    """Return the names of all environments."""
    names = stacks(folder)
    return [name for name in names if environment_of(name, names) == name]


def unknown_environment(name: str, folder: Path = FOLDER) -> str:
    """Return the error of an environment that has no file."""
    end = did_you_mean(name, environments(folder))
    return f"there is no environment {name!r} (environments/Pulumi.{name}.yaml); {end}"


def environment_of(stack: str, names: list[str] | None = None) -> str:
    """Return the environment that a stack belongs to: `aws-prod` of `aws-prod-data`, where both have a file;
    otherwise the stack itself."""
    names = stacks() if names is None else names
    environment, _, layer = stack.rpartition("-")
    return environment if layer in LAYERS and {environment, stack} <= {*names} else stack
