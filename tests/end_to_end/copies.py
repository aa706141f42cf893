"""Copies of the repository, whose environment files a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tests.end_to_end.harness import ROOT

_PARTS: Final = ("bin", "cli", "components", "environments", "policies", "stacks", "twin")
_FILES: Final = ("Pulumi.yaml", "pyproject.toml", "uv.lock", "bootstrap.py", "README.md", "LICENSE")
_MODULES: Final = ("__init__.py", "end_to_end/__init__.py", "end_to_end/reduced.py")


def copy_repository(root: Path) -> Path:
    """Copy what the command and the program need into an empty folder; return it."""
    for part in _PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in _FILES:
        shutil.copy(ROOT / file, root / file)
    for module in _MODULES:
        (root / "tests" / module).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "tests" / module, root / "tests" / module)
    return root
