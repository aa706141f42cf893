"""What `make lint` checks the types of."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_all_folders_are_checked_in_parts() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]
    parts = re.findall(r"\$\(RUN\) pyright ([a-z ]+)", (ROOT / "Makefile").read_text())
    assert sorted(" ".join(parts).split()) == sorted(settings["include"]), "a folder would not be checked"
