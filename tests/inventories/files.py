"""The inventories as files: their paths, their contents, and their differences from the program."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.generating import renewing
from tests.inventories import variants
from tests.inventories.rendering import ROOT, registered, render
from tests.stacks.environments import STACKS, built

FOLDER: Final = Path("tests/inventories")
ENVIRONMENTS: Final = FOLDER / "environments"
COMPONENTS: Final = FOLDER / "components"
RENEW: Final = (
    "Where every line of this change is intended, renew the inventories and commit them: make generate\n"
    "Otherwise it is a side effect of the change: fix the program."
)
_MOST_LINES: Final = 150


def paths() -> list[Path]:
    """Return the paths of all inventories in the repository."""
    return [
        *(ENVIRONMENTS / f"{stack}.yaml" for stack in STACKS),
        *(COMPONENTS / f"{name}.yaml" for name in variants.NAMES),
    ]


def text(path: Path) -> str:
    """Return what the inventory at a path should contain."""
    if path.is_relative_to(ENVIRONMENTS):
        environment = built(path.stem)
        return render(environment.recording, {"foundation": environment.exported, **environment.above})
    return render(variants.recorded(str(path.relative_to(COMPONENTS).with_suffix(""))))


def leftovers() -> list[Path]:
    """Return inventories of environments and variants that no longer exist."""
    return renewing.leftovers(FOLDER, "**/*.yaml", set(paths()))


def difference(path: Path) -> str:
    """Return how an inventory differs from what is registered, and what to do; empty where it does not."""
    file = ROOT / path
    if not file.is_file():
        return f"{path} does not exist.\n{RENEW}"
    there, now = file.read_text(), text(path)
    return "" if there == now else explain(path, there, now)


def explain(path: Path, there: str, now: str) -> str:
    """Return the message for an inventory that differs from what is registered."""
    diff = list(difflib.unified_diff(there.splitlines(), now.splitlines(), str(path), "registered now", n=4))
    if len(diff) > _MOST_LINES:
        diff = [*diff[:_MOST_LINES], f"... and {len(diff) - _MOST_LINES} more lines"]
    return "\n".join([f"{path} is not what is registered now.", *_names(there, now), *diff, RENEW])


def _names(there: str, now: str) -> Iterator[str]:
    """Yield added and removed logical names: a changed one replaces the resource."""
    before, after = set(registered(there)), set(registered(now))
    if gone := sorted(before - after):
        yield f"Deleted, or replaced under a new logical name (unless it has an alias): {', '.join(gone)}"
    if new := sorted(after - before):
        yield f"Created: {', '.join(new)}"


def main() -> None:
    """Write all inventories, and report those that changed."""
    renewing.renew(((path, text(path)) for path in paths()), leftovers())


if __name__ == "__main__":
    main()
