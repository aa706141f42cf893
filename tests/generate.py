"""Renews what is made from the types and from what is registered: `python -m tests.generate`, which
`make generate` runs.

tests/test_generated.py and tests/inventories fail when one of these files is not what this makes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.generating import (
    accelerators,
    aws_rights,
    clouds,
    components,
    environment,
    google_access,
    policies,
)
from tests.inventories import files as inventories

ROOT = Path(__file__).parents[1]
PAGES = Path("docs/components")


@cache
def files() -> Mapping[Path, str]:
    """Path in the repository -> what it should hold."""
    return {
        Path("components/schema.json"): components.schema(),
        **{PAGES / name: text for name, text in components.pages().items()},
        Path("docs/clouds.md"): clouds.text(),
        Path("docs/environment.md"): environment.text(),
        Path("docs/accelerators.md"): accelerators.text(),
        Path("docs/policies.md"): policies.text(),
        Path("docs/security-roles-aws.md"): aws_rights.text(),
        google_access.PAGE: google_access.text(),
    }


def leftovers() -> list[Path]:
    """Pages of components that are no more."""
    made = files()
    there = [file.relative_to(ROOT) for file in (ROOT / PAGES).glob("*.md")]
    return [file for file in there if file not in made]


def main() -> None:
    """Write them all; tells those that changed."""
    for path, text in files().items():
        file = ROOT / path
        if not file.is_file() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            sys.stdout.write(f"wrote {path}\n")
    for path in leftovers():
        (ROOT / path).unlink()
        sys.stdout.write(f"removed {path}\n")
    inventories.main()


if __name__ == "__main__":
    main()
