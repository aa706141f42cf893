"""The lock of a folder's Python packages: that it is there and up to date, and what of it the base has."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Collection, Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cli.images.bases import Base
from cli.output import CommandError

PROJECT: Final = "pyproject.toml"
LOCK: Final = "uv.lock"
_PATCHES: Final = 100
_SEPARATE: Final = ("path", "directory", "editable", "virtual")
"""Sources of packages that are folders or files of this machine."""


def check(folder: Path, tracked: Collection[Path], base: Base) -> None:
    """Refuse a folder whose packages are not locked, that the base's Python does not run, or whose lock is
    not that of its pyproject.toml. Asks uv, which changes nothing."""
    for name in (PROJECT, LOCK):
        if not (folder / name).is_file():
            raise CommandError(f"{folder / name}: missing; expected a project of uv: `uv init`, `uv lock`")
        if Path(name) not in tracked:
            raise CommandError(f"{folder / name}: git does not track it; expected it in the commit")
    # Before uv, which looks on this machine for a Python that the folder accepts.
    check_python(folder, base)
    # UV_FROZEN, which CI may set, contradicts the check.
    variables = {
        name: value for name, value in os.environ.items() if name not in ("UV_FROZEN", "VIRTUAL_ENV")
    }
    command = ["uv", "lock", "--check", "--project", str(folder)]
    try:
        answer = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CommandError("uv is not on PATH; expected it: it compares the lock of the folder") from error
    if answer.returncode != 0:
        raise CommandError(
            f"{folder / LOCK}: is not the lock of {PROJECT}; expected the result of `uv lock`:\n"
            f"{answer.stderr.strip()}"
        )


def check_python(folder: Path, base: Base) -> None:
    """Refuse a folder that the base's Python does not run: the build installs no other one."""
    if not base.python:
        return
    file = folder / PROJECT
    text = file.read_text()
    project: dict[str, Any] = tomllib.loads(text)
    required = project.get("project", {}).get("requires-python")
    key = "project.requires-python"
    if required is None:
        # uv states the version for which it resolved.
        file = folder / LOCK
        text = file.read_text()
        required, key = tomllib.loads(text).get("requires-python", ""), "requires-python"
    try:
        accepted = SpecifierSet(required)
    except InvalidSpecifier as error:
        raise CommandError(f"{file}:{_line(text)}: {key}: {error}; expected '>=3.11'") from error
    # The base's patch is not recorded.
    if not any(accepted.contains(f"{base.python}.{patch}") for patch in range(_PATCHES)):
        raise CommandError(
            f"{file}:{_line(text)}: {key}: is {required!r}, and the base {base.repository}:{base.tag} has "
            f"Python {base.python}, which is the one that runs; expected a range with it in {PROJECT}, and "
            "`uv lock`"
        )


def _line(text: str) -> int:
    """Return the line of `requires-python`."""
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if line.lstrip().startswith("requires-python")), 1)


def installed_by_base(folder: Path, framework: str, base: Base) -> list[str]:
    """Return the locked packages that the base has installed, sorted. Raises CommandError where the lock has
    another minor version of one, no version of a framework that the base lacks, or a package from outside the
    folder."""
    lock: dict[str, Any] = tomllib.loads((folder / LOCK).read_text())
    packages: list[dict[str, Any]] = lock.get("package", [])
    problems = [*_foreign(folder, packages), *_other_versions(folder, packages, base)]
    names = {str(package["name"]) for package in packages}
    if framework != "python" and framework not in names and framework not in base.packages:
        problems.append(f"{folder / LOCK}: has no {framework}; expected it, as the base has none")
    if problems:
        raise CommandError("\n".join(problems))
    # Packages with the same names as dependencies of the base's may come from elsewhere in the lock.
    patterns = [*base.packages, *base.dependencies] if names & set(base.packages) else []
    return sorted(name for name in names if any(fnmatch(name, pattern) for pattern in patterns))


def is_package(folder: Path) -> bool:
    """Return whether the project itself is installed, by uv's rule: it has a build system, unless
    `tool.uv.package` states otherwise."""
    project: dict[str, Any] = tomllib.loads((folder / PROJECT).read_text())
    stated = project.get("tool", {}).get("uv", {}).get("package")
    return bool("build-system" in project if stated is None else stated)


def _other_versions(folder: Path, packages: Iterable[dict[str, Any]], base: Base) -> Iterable[str]:
    for package in packages:
        name, locked = str(package["name"]), str(package.get("version", "")).partition("+")[0]
        expected = base.packages.get(name)
        if expected and _minor(locked) != _minor(expected):
            yield (
                f"{folder / LOCK}: {name}: is {locked}, and the base {base.repository}:{base.tag} has "
                f"{expected}, which is the one that runs; expected {name}=={_minor(expected)}.* in {PROJECT}"
            )


def _minor(version: str) -> str:
    """`2.9` of `2.9.1`: bases of several networks differ by patches."""
    return ".".join(version.split(".")[:2])


def _foreign(folder: Path, packages: Iterable[dict[str, Any]]) -> Iterable[str]:
    """The builder has the files of the folder only."""
    for package in packages:
        source: dict[str, str] = package.get("source", {})
        place = next((source[kind] for kind in _SEPARATE if kind in source), None)
        if place is not None and not (folder / place).resolve().is_relative_to(folder.resolve()):
            yield f"{folder / LOCK}: {package['name']}: is {place}; expected no path out of the folder"
