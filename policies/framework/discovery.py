"""Discovery of policies: every file in a topic's folder is one; there is no registry."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from .policy import Policy

ROOT: Final = Path(__file__).resolve().parents[1]
_PACKAGE: Final = __name__.rpartition(".framework.")[0]


class PackError(Exception):
    """The pack, its configuration or its exemptions cannot be used. The message states the place, the problem
    and what is expected."""


def topics() -> list[str]:
    """Return the names of the folders with policies."""
    folders = [folder for folder in ROOT.iterdir() if (folder / "__init__.py").is_file()]
    return sorted(folder.name for folder in folders if folder.name != "framework")


def files() -> list[Path]:
    """Return the file of every policy."""
    paths = (path for topic in topics() for path in sorted((ROOT / topic).glob("*.py")))
    return [path for path in paths if path.name != "__init__.py"]


def find() -> Sequence[Policy]:
    """Load every policy and set its id; in the order of ids. Raises PackError for a file without a policy."""
    policies: list[Policy] = []
    for file in files():
        name = f"{file.parent.name}.{file.stem}"
        policy = getattr(_load(name, file), "POLICY", None)
        if not isinstance(policy, Policy):
            raise PackError(f"{name}: no policy; expected POLICY = Policy(...) in {file.name}")
        if not (policy.resource_rules or policy.stack_rules):
            raise PackError(f"{name}: no rule; expected a function with @POLICY.on(...) or @POLICY.on_stack")
        policy.id = name
        policies.append(policy)
    return policies


def _load(name: str, file: Path) -> ModuleType:
    try:
        return importlib.import_module(f"{_PACKAGE}.{name}")
    # Every exception is reported with its place, so that a defect of one file does not look like a crash.
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = f" (line {frames[-1].lineno})" if frames else ""
        problem = f"{type(error).__name__}: {error}"
        raise PackError(f"{name}: {file} cannot be loaded: {problem}{line}") from error
