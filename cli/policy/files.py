"""The files that `aiplatform policy` is given, looked at before anything is started."""

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
"""Of the engine's words those that the pack offers: it changes nothing by itself."""
_EXAMPLE: Final = '{"pack": {"profile": "prod"}, "cost.expire_logs": "advisory"}'
# `pack` is the pack as a whole; the others are the engine's own (pulumi, pkg/resource/analyzer/config.go).
_RESERVED: Final = ("pack", "all", "environments")


def target(file: Path, option: str) -> Path:
    """A file that is to be written, as an absolute path. Raises CommandError where it cannot be."""
    file = file.absolute()
    if file.is_dir():
        raise CommandError(f"{option}: {file} is a folder, expected a file to write")
    if not file.parent.is_dir():
        raise CommandError(f"{option}: there is no folder {file.parent}; make it first")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise CommandError(f"{option}: {file} cannot be written; expected a place where you may write")
    return file


def configuration(file: Path) -> Path:
    """A configuration of the pack, as an absolute path. Raises CommandError where the engine would not read
    it or, worse, would pass over what it says: a policy that is not there."""
    if not file.is_file():
        raise CommandError(f"--config: {file}: no such file, expected the pack's configuration as JSON")
    try:
        said = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"--config: {file}: not JSON ({error}), expected as in {_EXAMPLE}") from None
    faults = list(_faults(said))
    if faults:
        raise CommandError("\n".join(f"--config: {file}: {fault}" for fault in faults))
    return file.absolute()


def _faults(said: Any) -> Iterator[str]:
    if not isinstance(said, dict):
        yield f"got {_kind(said)}, expected an object as in {_EXAMPLE}"
        return
    told = cast("dict[str, Any]", said)
    policies: Any = told
    # The engine's second form, which it knows by its number.
    if isinstance(told.get("version"), int | float):
        policies = told.get("policies") or {}
    if not isinstance(policies, dict):
        yield f"policies: got {_kind(policies)}, expected an object, policy by policy"
        return
    known = _ids()
    for name, value in cast("dict[str, Any]", policies).items():
        if name not in known and name not in _RESERVED:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ", docs/policies.md lists them"
            yield f"{name}: no policy of that name{meant}"
        elif name != "environments":
            yield from _of_policy(name, value)


def _of_policy(name: str, value: Any) -> Iterator[str]:
    if name == "pack" and not (isinstance(value, dict) and "enforcementLevel" not in value):
        yield 'pack: is no policy that has a level, expected an object as in {"profile": "prod"}'
        return
    where, level = name, value
    if isinstance(value, dict):
        where, level = f"{name}.enforcementLevel", cast("Mapping[str, Any]", value).get("enforcementLevel")
        if level is None:
            return
    if not isinstance(level, str):
        yield f"{where}: got {_kind(level)}, expected an enforcement level or an object"
    elif level not in LEVELS:
        yield f"{where}: got {level!r}, expected an enforcement level: {', '.join(LEVELS)}"


def _kind(value: Any) -> str:
    words = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return words.get(cast("type[Any]", type(value)), "nothing")


def _ids() -> list[str]:
    """A policy's path is its id."""
    files = (file for file in PACK.glob("*/*.py") if file.stem != "__init__" and file.parent.name != "pack")
    return sorted(f"{file.parent.name}.{file.stem}" for file in files)
