"""InstallDependencies: `pulumi install` for a program, a policy pack or a plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pulumi.runtime.proto import language_pb2

from twin.toolchain import uv
from twin.toolchain.interpreter import resolve, toolchain_of, virtualenv_path


def install_dependencies(
    request: language_pb2.InstallDependenciesRequest,
) -> Iterator[language_pb2.InstallDependenciesResponse]:
    """Install what the project asks for; yields the output. A failure is a RuntimeError."""
    info = request.info
    folder = Path(info.program_directory or info.root_directory)
    yield language_pb2.InstallDependenciesResponse(stdout=b"Installing dependencies...\n\n")
    if toolchain_of(info) == "uv":
        virtualenv = virtualenv_path(info, is_plugin=request.is_plugin) or uv.environment(folder)
        environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(virtualenv)}
        yield from _run([uv.find(), "sync"], folder, environment)
    else:
        virtualenv = virtualenv_path(info, is_plugin=request.is_plugin)
        if virtualenv is not None and not (virtualenv / "bin" / "python").exists():
            yield from _run([sys.executable, "-m", "venv", str(virtualenv)], folder)
        install = [str(resolve(info, is_plugin=request.is_plugin).python), "-m", "pip", "install"]
        if request.is_plugin and (folder / "pyproject.toml").exists():
            yield from _run([*install, str(folder)], folder)
        if (folder / "requirements.txt").exists():
            yield from _run([*install, "-r", "requirements.txt"], folder)
    yield language_pb2.InstallDependenciesResponse(stdout=b"Finished installing dependencies\n\n")


def _run(
    command: list[str], folder: Path, environment: dict[str, str] | None = None
) -> Iterator[language_pb2.InstallDependenciesResponse]:
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe, as asked for above
        for line in process.stdout:
            yield language_pb2.InstallDependenciesResponse(stdout=line)
    if process.returncode != 0:
        raise RuntimeError(f"`{' '.join(command)}` in {folder} failed with exit code {process.returncode}")
