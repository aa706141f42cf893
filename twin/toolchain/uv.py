"""uv as the official language host uses it (pulumi/pulumi, sdk/python/toolchain/uv.go): found on PATH and
nowhere else, and run before every start of a program, a policy pack or a plugin, so that a deployment that
would fail in the cloud for want of uv or of a locked package fails on the twin, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path


def find() -> str:
    """uv on PATH; a RuntimeError in the official host's words where there is none."""
    uv = shutil.which("uv")
    if uv is None:
        raise RuntimeError("Could not find `uv` executable.\nInstall uv and make sure it is in your PATH.")
    return uv


def environment(folder: Path) -> Path:
    """The virtual environment of a project folder: next to the nearest uv.lock above, or pyproject.toml."""
    project = search_up(folder, "uv.lock") or search_up(folder, "pyproject.toml") or folder
    return project / (os.environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")


def create(folder: Path, virtualenv: Path) -> None:
    """Make the virtual environment where there is none."""
    if not (virtualenv / "bin" / "python").exists():
        _run(["venv", "--quiet", "--allow-existing", str(virtualenv)], folder, virtualenv)


def sync(folder: Path, virtualenv: Path) -> None:
    """Install what the project asks for and leave the rest: `uv sync --inexact`.

    Where the lock is not up to date uv resolves again and rewrites it, unless UV_FROZEN is set.
    """
    if search_up(folder, "pyproject.toml") is not None:
        _run(["sync", "--inexact"], folder, virtualenv)


def locked_packages(folder: Path, virtualenv: Path) -> frozenset[str]:
    """The names that the lock holds for the project and its default groups, whether or not installed.

    Raises RuntimeError where there is no project, or its lock is not up to date.
    """
    project = search_up(folder, "pyproject.toml")
    if project is None:
        raise RuntimeError(f"could not find pyproject.toml in {folder} or above")
    name = (
        tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8")).get("project", {}).get("name")
    )
    if not name:
        raise RuntimeError(f"missing project name in {project / 'pyproject.toml'}")
    lock = _run(["export", "--package", name, "--locked", "--format", "pylock.toml"], project, virtualenv)
    return frozenset(package["name"] for package in tomllib.loads(lock).get("packages", ()))


def search_up(start: Path, name: str) -> Path | None:
    """The nearest folder from here up that holds the file."""
    return next((folder for folder in (start, *start.parents) if (folder / name).exists()), None)


def _run(arguments: Sequence[str], folder: Path, virtualenv: Path) -> str:
    done = subprocess.run(
        [find(), *arguments],
        cwd=folder,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(virtualenv)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"`uv {' '.join(arguments)}` in {folder} failed: {done.stderr.strip()}")
    return done.stdout
