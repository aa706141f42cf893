"""Generated files: write those that changed, and remove those that nothing generates any more."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
WIDTH: Final = 110
"""The longest line of a generated module, as the formatter writes it."""


def leftovers(folder: Path, pattern: str, expected: Collection[Path]) -> list[Path]:
    """Return the files of a folder that match a pattern and are not expected, by their paths."""
    files = sorted(file.relative_to(ROOT) for file in (ROOT / folder).glob(pattern))
    return [file for file in files if file not in expected]


def renew(expected: Iterable[tuple[Path, str]], left: Iterable[Path]) -> None:
    """Write each file whose content differs, remove what is left, and report both."""
    for path, text in expected:
        file = ROOT / path
        if not file.is_file() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            sys.stdout.write(f"wrote {path}\n")
    for path in left:
        (ROOT / path).unlink()
        sys.stdout.write(f"removed {path}\n")
