"""Which Python runs a Pulumi program or plugin, and in what environment.

The rules are those of the official host (`virtualenv` and `toolchain` under
`runtime: options:` in Pulumi.yaml), with one relaxation: where no such virtual
environment exists, the interpreter of this process runs the program. Its twin is
installed into an environment that holds the program's packages anyway.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from pulumi.runtime.proto import language_pb2

TOOLCHAINS = ("pip", "uv")


class OptionError(ValueError):
    """A runtime option in Pulumi.yaml that cannot be honoured; says what would be right."""


@dataclass(frozen=True)
class Interpreter:
    """A Python and the virtual environment it belongs to, if any."""

    python: Path
    virtualenv: Path | None

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with the virtual environment activated, as a shell would do it."""
        environment = dict(base)
        if self.virtualenv is not None:
            environment.pop("PYTHONHOME", None)
            environment["VIRTUAL_ENV"] = str(self.virtualenv)
            rest = environment.get("PATH")
            folder = str(self.virtualenv / "bin")
            environment["PATH"] = f"{folder}{os.pathsep}{rest}" if rest else folder
        return environment


def runtime_options(info: language_pb2.ProgramInfo) -> dict[str, Any]:
    """The options as plain values; wrong ones are an OptionError."""
    options = json_format.MessageToDict(info.options)
    virtualenv = options.get("virtualenv", "")
    if not isinstance(virtualenv, str):
        raise OptionError(f"the runtime option virtualenv must be a path, and is {virtualenv!r}")
    toolchain = options.get("toolchain", "pip")
    if toolchain not in TOOLCHAINS:
        raise OptionError(
            f"the runtime option toolchain is {toolchain!r}; this language host knows "
            f"{' and '.join(TOOLCHAINS)} (the official Pulumi CLI knows more)"
        )
    return options


def virtualenv_path(info: language_pb2.ProgramInfo, *, is_plugin: bool = False) -> Path | None:
    """Where the options put the virtual environment, whether it exists or not."""
    options = runtime_options(info)
    root = Path(info.root_directory)
    named = options.get("virtualenv", "")
    if named:
        return root / named
    if options.get("toolchain") == "uv":
        return _uv_environment(root)
    return root / "venv" if is_plugin else None


def resolve(info: language_pb2.ProgramInfo, *, is_plugin: bool = False) -> Interpreter:
    """The interpreter for a program or plugin."""
    virtualenv = virtualenv_path(info, is_plugin=is_plugin)
    if virtualenv is not None:
        python = virtualenv / "bin" / "python"
        if python.exists():
            return Interpreter(python, virtualenv)
    return Interpreter(Path(sys.executable), None)


def _uv_environment(root: Path) -> Path:
    project = _search_up(root, "uv.lock") or _search_up(root, "pyproject.toml") or root
    return project / os.environ.get("UV_PROJECT_ENVIRONMENT", ".venv")


def _search_up(start: Path, name: str) -> Path | None:
    return next((folder for folder in (start, *start.parents) if (folder / name).exists()), None)
