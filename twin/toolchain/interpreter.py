"""Which Python runs a Pulumi program or plugin, and in what environment.

The rules are those of the official host (`virtualenv` and `toolchain` under `runtime: options:` in
Pulumi.yaml; pulumi/pulumi, sdk/python/toolchain), with one relaxation: where pip's virtual environment does
not exist, the interpreter of this process runs the program. Its twin is installed into an environment that
holds the program's packages anyway. Where uv is the toolchain nothing is relaxed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from pulumi.runtime.proto import language_pb2

from twin.toolchain import uv

TOOLCHAINS = ("pip", "uv")


class OptionError(ValueError):
    """A runtime option in Pulumi.yaml that cannot be honoured; says what would be right."""


@dataclass(frozen=True)
class Interpreter:
    """A Python and the virtual environment it belongs to, if any."""

    python: Path
    virtualenv: Path | None
    project: Path | None = None
    """Where uv keeps the environment: the folder that it is run in. None with pip."""

    def prepared(self) -> Interpreter:
        """This interpreter, once uv has installed what the project asks for. Raises RuntimeError."""
        if self.project is not None and self.virtualenv is not None:
            uv.sync(self.project, self.virtualenv)
            if not self.python.exists():
                raise RuntimeError(f"'{self.virtualenv}' is not a virtualenv")
        return self

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
    toolchain = options.get("toolchain")
    if toolchain is not None and toolchain not in TOOLCHAINS:
        raise OptionError(
            f"the runtime option toolchain is {toolchain!r}; this language host knows "
            f"{' and '.join(TOOLCHAINS)} (the official Pulumi CLI knows more)"
        )
    return options


def toolchain_of(info: language_pb2.ProgramInfo) -> str:
    """`pip` or `uv`: what the options say, else what the nearest lock above the program says, else pip."""
    named = runtime_options(info).get("toolchain")
    if named is not None:
        return str(named)
    program = Path(info.program_directory)
    if uv.search_up(program, "uv.lock"):
        return "uv"
    poetry = uv.search_up(program, "poetry.lock")
    if poetry is not None:
        raise OptionError(
            f"{poetry / 'poetry.lock'} makes Poetry the toolchain, which this language host does not know "
            "(the official Pulumi CLI does): set the runtime option toolchain to pip or uv"
        )
    return "pip"


def virtualenv_path(info: language_pb2.ProgramInfo, *, is_plugin: bool = False) -> Path | None:
    """Where the options put the virtual environment, whether it exists or not."""
    options = runtime_options(info)
    named = options.get("virtualenv", "")
    if not named and is_plugin and options.get("toolchain") != "uv":
        named = "venv"
    if named:
        return Path(info.root_directory) / named
    return uv.environment(Path(info.program_directory)) if toolchain_of(info) == "uv" else None


def resolve(info: language_pb2.ProgramInfo, *, is_plugin: bool = False) -> Interpreter:
    """The interpreter for a program or plugin. Raises RuntimeError where it takes uv and PATH has none."""
    virtualenv = virtualenv_path(info, is_plugin=is_plugin)
    if virtualenv is not None and toolchain_of(info) == "uv":
        uv.find()
        return Interpreter(virtualenv / "bin" / "python", virtualenv, Path(info.program_directory))
    if virtualenv is None:
        return Interpreter(Path(shutil.which("python3") or sys.executable), None)
    python = virtualenv / "bin" / "python"
    return Interpreter(python, virtualenv) if python.exists() else Interpreter(Path(sys.executable), None)
