"""The policies that there are: every file in a topic's folder is one, found without registration."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from .policy import Policy

ROOT: Final = Path(__file__).resolve().parents[1]
_PACKAGE: Final = __name__.rpartition(".pack.")[0]


class PackError(Exception):
    """The pack, its configuration or its exemptions cannot be used. The message says what, where, and what
    would be right."""


def topics() -> list[str]:
    """The folders that policies are in."""
    folders = [each for each in ROOT.iterdir() if (each / "__init__.py").is_file()]
    return sorted(each.name for each in folders if each.name != "pack")


def files() -> list[Path]:
    """The file of every policy."""
    found = [file for topic in topics() for file in sorted((ROOT / topic).glob("*.py"))]
    return [file for file in found if file.name != "__init__.py"]


def find() -> Sequence[Policy]:
    """Every policy, with its id, in the order of the ids. Raises PackError for a file that holds none."""
    found: list[Policy] = []
    for file in files():
        name = f"{file.parent.name}.{file.stem}"
        module = _loaded(name, file)
        policy = getattr(module, "POLICY", None)
        if not isinstance(policy, Policy):
            raise PackError(f"{name}: has no policy; expected POLICY = Policy(...) in {file.name}")
        if not (policy.resource_rules or policy.stack_rules):
            raise PackError(f"{name}: has no rule; expected a function with @POLICY.on(...) or on_stack")
        policy.id = name
        found.append(policy)
    return found


def _loaded(name: str, file: Path) -> ModuleType:
    try:
        return importlib.import_module(f"{_PACKAGE}.{name}")
    # Whatever keeps a file from being loaded is told with its place, and not as a crash of the pack.
    except Exception as error:
        frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == str(file)]
        line = f" (line {frames[-1].lineno})" if frames else ""
        why = f"{type(error).__name__}: {error}"
        raise PackError(f"{name}: {file} cannot be loaded: {why}{line}") from error
