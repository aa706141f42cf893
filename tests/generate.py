"""Write the files that are generated from types and registered resources: `python -m tests.generate`.

`make generate` runs this. tests/test_generated.py and tests/inventories fail while one of the files is
out of date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from tests.generating import (
    accelerators,
    addons,
    aws_rights,
    cloud_support,
    components,
    environment,
    environment_diagram,
    environment_pages,
    estimates,
    examples,
    google_access,
    inputs,
    nccl_tests,
    outputs,
    policies,
    policy_pages,
    renewing,
)
from tests.generating.isolation import page as isolation
from tests.inventories import files as inventories

ROOT = renewing.ROOT
PAGES = Path("docs/components")


_TEXTS: Final[Mapping[Path, Callable[[], str]]] = {
    Path("components/schema.json"): components.schema,
    Path("docs/clouds.md"): cloud_support.text,
    Path("docs/environment.md"): environment.text,
    Path("docs/accelerators.md"): accelerators.text,
    policies.PAGE: policies.text,
    Path("docs/security-roles-aws.md"): aws_rights.text,
    addons.PAGE: addons.text,
    google_access.PAGE: google_access.text,
    isolation.PAGE: isolation.text,
    environment_diagram.PAGE: lambda: estimates.with_table(environment_diagram.text()),
}
"""Path in the repository -> function that generates the file; pages of components are generated together."""


def paths() -> list[Path]:
    """Return the paths of all generated files, without generating them: that takes seconds of CPU."""
    pages = ["README.md", *(f"{components.entity(component)}.md" for component in components.COMPONENTS)]
    return sorted(
        [
            *inputs.paths(),
            *outputs.paths(),
            *_TEXTS,
            *(PAGES / name for name in pages),
            *examples.paths(),
            *nccl_tests.paths(),
            *estimates.paths(),
            *environment_pages.paths(),
            *policy_pages.paths(),
        ]
    )


@cache
def files() -> Mapping[Path, str]:
    """Return the contents of all generated files by path."""
    return {
        **inputs.files(),
        **outputs.files(),
        **{path: text() for path, text in _TEXTS.items()},
        **{PAGES / name: text for name, text in components.pages().items()},
        **examples.files(components.inputs),
        **{path: nccl_tests.text(path) for path in nccl_tests.paths()},
        **estimates.files(),
        **environment_pages.files(),
        **policy_pages.files(),
    }


def leftovers() -> list[Path]:
    """Return the pages of components, environments and policies that do not exist any more."""
    return [
        page
        for folder, pattern in (
            (PAGES, "*.md"),
            (environment_pages.FOLDER, "*.md"),
            (policy_pages.FOLDER, "**/*.md"),
        )
        for page in renewing.leftovers(folder, pattern, files())
    ]


def main() -> None:
    """Write all generated files, and report those that changed."""
    # First: the diagram is drawn from an inventory.
    inventories.main()
    renewing.renew(files().items(), leftovers())


if __name__ == "__main__":
    main()
