"""Renews what is made from the types and from what is registered: `python -m tests.generate`, which
`make generate` runs.

tests/test_generated.py and tests/inventories fail when one of these files is not what this makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.generating import (
    accelerators,
    aws_rights,
    cloud_support,
    components,
    environment,
    examples,
    google_access,
    policies,
    renewing,
)
from tests.inventories import files as inventories

ROOT = renewing.ROOT
PAGES = Path("docs/components")


@cache
def files() -> Mapping[Path, str]:
    """Path in the repository -> what it should hold."""
    return {
        Path("components/schema.json"): components.schema(),
        **{PAGES / name: text for name, text in components.pages().items()},
        **examples.files(components.inputs),
        Path("docs/clouds.md"): cloud_support.text(),
        Path("docs/environment.md"): environment.text(),
        Path("docs/accelerators.md"): accelerators.text(),
        Path("docs/policies.md"): policies.text(),
        Path("docs/security-roles-aws.md"): aws_rights.text(),
        google_access.PAGE: google_access.text(),
    }


def leftovers() -> list[Path]:
    """Pages of components that do not exist any more."""
    return renewing.leftovers(PAGES, "*.md", files())


def main() -> None:
    """Write all generated files, and report those that changed."""
    renewing.renew(files().items(), leftovers())
    inventories.main()


if __name__ == "__main__":
    main()
