"""The version of the project, which pyproject.toml states."""

from __future__ import annotations

import tomllib
from typing import Final

from cli.environment_files import ROOT

PROJECT: Final = ROOT / "pyproject.toml"


def version() -> str:
    """Return the project's version, as `0.1.0`. The command runs from a checkout: nothing is installed."""
    return tomllib.loads(PROJECT.read_text())["project"]["version"]
