"""Run the tests that a change needs: `python -m tools.changed_tests`, by the table tests/changed.toml.

A change is what differs from the branch `main` of the remote, or without a remote from the local one, with
what is not committed. `--since REF` states another beginning, `--list` prints the tests and runs none.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
TABLE: Final = ROOT / "tests" / "changed.toml"
BRANCHES: Final = ("origin/main", "main")


def rules() -> list[Mapping[str, Any]]:
    """Return the rules of the table."""
    return tomllib.loads(TABLE.read_text())["rules"]


def selected(paths: Iterable[str], key: str = "run") -> list[str]:
    """Return the tests that a change of these paths needs, without those that another one contains.

    key: `run`, or `controllers` for files of tests/controllers.
    """
    table = rules()
    tests = {test for path in paths for rule in table for test in _tests(rule, path, key)}
    existing = sorted(test for test in tests if key == "controllers" or (ROOT / test).exists())
    return [test for test in existing if not any(test.startswith(f"{other}/") for other in existing)]


def untested(paths: Iterable[str]) -> list[str]:
    """Return those that no rule matches."""
    patterns = [rule["changed"] for rule in rules()]
    return [path for path in paths if not any(re.fullmatch(pattern, path) for pattern in patterns)]


def changed(since: str) -> list[str]:
    """Return the paths that differ from a commit, with those that are new."""
    differing = _git("diff", "--name-only", "--no-renames", since)
    return sorted({*differing, *_git("ls-files", "--others", "--exclude-standard")})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tests, and run them unless `--list` is given. Return the exit code of pytest."""
    parser = argparse.ArgumentParser(prog="python -m tools.changed_tests", description=__doc__)
    parser.add_argument("--since", help="the commit that the change begins at")
    parser.add_argument("--list", action="store_true", help="print the tests, run none")
    options = parser.parse_args(arguments)
    paths = changed(options.since or _base())
    tests, controllers = selected(paths), selected(paths, "controllers")
    print("\n".join(tests) or "nothing to test")  # noqa: T201
    for name in controllers:
        print(f"tests/controllers/{name} (not run: make test-controllers builds what it needs)")  # noqa: T201
    if options.list or not tests:
        return 0
    # As the two tiers do: tests on the twin of one file in one worker.
    command = ["-m", "pytest", "-m", "not nightly and not build", "-n", "2", "--dist", "loadfile", *tests]
    return subprocess.run([sys.executable, *command], cwd=ROOT, check=False).returncode


def _tests(rule: Mapping[str, Any], path: str, key: str) -> Iterator[str]:
    match = re.fullmatch(rule["changed"], path)
    for test in rule.get(key, []) if match else []:
        yield test.format_map(match.groupdict()) if match else test


def _base() -> str:
    known = [branch for branch in BRANCHES if _git("rev-parse", "--verify", "--quiet", branch, check=False)]
    return _git("merge-base", "HEAD", known[0])[0] if known else "HEAD"


def _git(*arguments: str, check: bool = True) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=check)  # noqa: S607
    return done.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
