"""Checks of the files named on the command line of `aiplatform policy`, before anything is started."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from cli.output import CommandError

PACK: Final = Path(__file__).resolve().parents[2] / "policies"
LEVELS: Final = ("advisory", "mandatory", "disabled")
"""The engine's levels without `remediate`: the pack changes no resource."""
_EXAMPLE: Final = '{"pack": {"profile": "prod"}, "cost.expire_logs": "advisory"}'
# `pack` configures the pack as a whole; the other keys are the engine's (pkg/resource/analyzer/config.go).
_RESERVED: Final = ("pack", "all", "environments")


def target(file: Path, option: str) -> Path:
    """Return the absolute path of a file to write. Raises CommandError where it is not writable."""
    file = file.absolute()
    if file.is_dir():
        raise CommandError(f"{option}: {file} is a folder, expected a file to write")
    if not file.parent.is_dir():
        raise CommandError(f"{option}: folder {file.parent} does not exist; create it first")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise CommandError(f"{option}: {file} is not writable; expected a file that you can write")
    return file


def configuration(file: Path) -> Path:
    """Return the absolute path of a configuration of the pack.

    Raises CommandError for a file that the engine cannot read, and for a policy that does not exist, which
    the engine would ignore.
    """
    if not file.is_file():
        raise CommandError(f"--config: {file}: no such file, expected the pack's configuration as JSON")
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"--config: {file}: not JSON ({error}), expected as in {_EXAMPLE}") from None
    problems = list(_problems(content))
    if problems:
        raise CommandError("\n".join(f"--config: {file}: {problem}" for problem in problems))
    return file.absolute()


def _problems(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        yield f"got {_kind(content)}, expected an object as in {_EXAMPLE}"
        return
    configuration = cast("dict[str, Any]", content)
    policies: Any = configuration
    # The engine's second format, which has a version.
    if isinstance(configuration.get("version"), int | float):
        policies = configuration.get("policies") or {}
    if not isinstance(policies, dict):
        yield f"policies: got {_kind(policies)}, expected an object with a key for each policy"
        return
    known = ids()
    for name, value in cast("dict[str, Any]", policies).items():
        if name not in known and name not in _RESERVED:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "; docs/policies.md lists them"
            yield f"{name}: unknown policy{hint}"
        elif name != "environments":
            yield from _level_problems(name, value)


def _level_problems(name: str, value: Any) -> Iterator[str]:
    if name == "pack" and not (isinstance(value, dict) and "enforcementLevel" not in value):
        yield 'pack: has no enforcement level; expected an object as in {"profile": "prod"}'
        return
    if name == "all":
        yield from _all_problems(value)
    path, level = name, value
    if isinstance(value, dict):
        path, level = f"{name}.enforcementLevel", cast("Mapping[str, Any]", value).get("enforcementLevel")
        if level is None:
            return
    if not isinstance(level, str):
        yield f"{path}: got {_kind(level)}, expected an enforcement level or an object"
    elif level not in LEVELS:
        yield f"{path}: got {level!r}, expected an enforcement level: {', '.join(LEVELS)}"


def _all_problems(value: Any) -> Iterator[str]:
    """Yield the parts of the configuration of all policies that the engine accepts, without an effect."""
    keys = cast("Mapping[str, Any]", value) if isinstance(value, dict) else {"enforcementLevel": value}
    if "enforcementLevel" not in keys:
        yield 'all: has no effect without a level, expected as in {"all": "advisory"}'
    for key in keys:
        if key != "enforcementLevel":
            yield f"all.{key}: has no effect, expected enforcementLevel: an option belongs to its policy"


def _kind(value: Any) -> str:
    words = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return words.get(cast("type[Any]", type(value)), "nothing")


def ids() -> list[str]:
    """Return the ids of all policies: an id is the path of the policy's module."""
    files = (
        file for file in PACK.glob("*/*.py") if file.stem != "__init__" and file.parent.name != "framework"
    )
    return sorted(f"{file.parent.name}.{file.stem}" for file in files)
