"""Refuse identifiers that do not name the thing: `python -m tools.identifiers`, which `make lint` runs.

`found`, `made` or `each` state what happened to a value, or nothing; a noun states what it is: `resource`,
`policy`, `arguments`. Prints `<file>:<line>: <identifier>` for each one in a folder that has more than its
limit.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
REPLACED: Final = frozenset(
    (
        "asked",
        "each",
        "found",
        "given",
        "held",
        "judged",
        "kept",
        "let",
        "listed",
        "made",
        "own",
        "shown",
        "told",
    )
)
LIMITS: Final[Mapping[str, int]] = {
    "components": 58,
    "stacks": 4,
    "tests/components": 1,
}
"""Folder -> identifiers that are left there. Lower a number when some are renamed; add no folder."""
FOLDERS: Final = ("bootstrap.py", "cli", "components", "policies", "stacks", "tests", "tools", "twin")
_WORD: Final = re.compile(rf"\b_*(?:{'|'.join(sorted(REPLACED))})_*\b")


def replaced_identifiers(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, identifier) for each variable, argument, function and class of a module to rename."""
    # Most modules have none of the words: parsing all would take seconds.
    if not _WORD.search(source):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.name
        else:
            continue
        if name.strip("_") in REPLACED:
            yield node.lineno, name


def modules(root: Path) -> Iterator[Path]:
    """Yield the modules to check, by their paths in the repository."""
    for name in FOLDERS:
        start = root / name
        for file in [start] if start.is_file() else sorted(start.rglob("*.py")):
            yield file.relative_to(root)


def folder_of(path: Path) -> str:
    """Return the folder whose limit applies to a module: `stacks`, and of the tests `tests/stacks`."""
    depth = 2 if path.parts[0] == "tests" else 1
    return "/".join(path.parts[:-1][:depth]) or path.name


def problems(root: Path, limits: Mapping[str, int]) -> Iterator[str]:
    """Yield a line for each identifier in folders that have more than their limit."""
    by_folder: dict[str, list[str]] = {}
    for path in modules(root):
        for line, name in replaced_identifiers((root / path).read_text()):
            by_folder.setdefault(folder_of(path), []).append(f"{path}:{line}: {name}")
    for folder, places in sorted(by_folder.items()):
        limit = limits.get(folder, 0)
        if len(places) > limit:
            yield from places
            yield f"{folder}: {len(places)} identifiers that do not name the thing; expected at most {limit}"


def main() -> int:
    """Print the problems; return 1 where there are any."""
    lines = list(problems(ROOT, LIMITS))
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
