"""Modules of the examples' images. The packages of an image are not installed here, except pyarrow."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"


def module(folder: str, name: str) -> ModuleType:
    """Import a module of a package in a folder of examples/."""
    path = str(EXAMPLES / folder)
    sys.path.insert(0, path)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(path)
