"""Check that a tag is the version of both packages and of the changelog, and that its resources are recorded.

    python3 tools/release_version.py v1.2.3

Standard library alone: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
RECORDS: Final = "tests/releases"
PACKAGES: Final = ("pyproject.toml", "twin/pyproject.toml")


def problems(tag: str, root: Path = ROOT) -> Iterator[str]:
    """Yield what keeps a tag from being released."""
    if not re.fullmatch(r"v\d+\.\d+\.\d+(rc\d+)?", tag):
        yield f"the tag is {tag!r}; expected v and a version, such as v1.2.3 or v1.2.3rc1"
        return
    version = tag.removeprefix("v")
    for name in PACKAGES:
        stated = tomllib.loads((root / name).read_text(encoding="utf-8"))["project"]["version"]
        if stated != version:
            yield f"{name}: the version is {stated}; expected {version}, that of the tag"
    heading = re.search(
        r"^## \[([^\]]+)\] - (.+)$", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.M
    )
    released, candidate, _ = version.partition("rc")
    if heading is None or heading[1] != released:
        first = heading[1] if heading else "missing"
        yield f"CHANGELOG.md: the first version is {first}; expected {released}"
    elif not candidate and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[2]):
        yield f"CHANGELOG.md: {released} has the date {heading[2]!r}; expected YYYY-MM-DD"
    if not candidate and not list((root / RECORDS / version).glob("*.json.gz")):
        yield (
            f"{RECORDS}/{version}: the version has no record of its resources; expected that of "
            f"`python -m tests.releases {version}`"
        )


def main(arguments: list[str]) -> int:
    """Print the problems; return 1 where there is one."""
    if len(arguments) != 1:
        sys.stderr.write("expected one tag\n")
        return 2
    wrong = list(problems(arguments[0]))
    for problem in wrong:
        sys.stderr.write(f"error: {problem}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
