"""Write the files that are generated from types and registered resources: `python -m tests.generate`.

`make generate` runs this. tests/test_generated.py and tests/inventories fail while one of the files is
out of date.
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
    environment_diagram,
    google_access,
    policies,
    renewing,
)
from tests.inventories import files as inventories

ROOT = renewing.ROOT
PAGES = Path("docs/components")


@cache
def files() -> Mapping[Path, str]:
    """Return path in the repository -> content."""
    return {
        Path("components/schema.json"): components.schema(),
        **{PAGES / name: text for name, text in components.pages().items()},
        Path("docs/clouds.md"): cloud_support.text(),
        Path("docs/environment.md"): environment.text(),
        Path("docs/accelerators.md"): accelerators.text(),
        Path("docs/policies.md"): policies.text(),
        Path("docs/security-roles-aws.md"): aws_rights.text(),
        google_access.PAGE: google_access.text(),
        environment_diagram.PAGE: environment_diagram.text(),
    }


def leftovers() -> list[Path]:
    """Return the pages of components that do not exist any more."""
    return renewing.leftovers(PAGES, "*.md", files())


def main() -> None:
    """Write all generated files, and report those that changed."""
    # First: the diagram is drawn from an inventory.
    inventories.main()
    renewing.renew(files().items(), leftovers())


if __name__ == "__main__":
    main()
