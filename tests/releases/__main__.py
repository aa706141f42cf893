"""Record what a version registers: `python -m tests.releases 1.2.0`. `--check` compares its record."""

from __future__ import annotations

import argparse
import re
import sys

from tests.releases import records


def main(arguments: list[str]) -> int:
    """Write the record of a version, or check it; return 1 where it is not what the program registers."""
    parser = argparse.ArgumentParser(prog="python -m tests.releases", description=__doc__)
    parser.add_argument("version", help="the version of pyproject.toml that is released, such as 1.2.0")
    parser.add_argument("--check", action="store_true", help="compare the record, and write nothing")
    options = parser.parse_args(arguments)
    if not re.fullmatch(r"\d+\.\d+\.\d+((rc|\.dev)\d+)?", options.version):
        parser.error(f"the version is {options.version!r}; expected one such as 1.2.0 or 1.2.0rc1")
    if not options.check:
        records.write(options.version)
        return 0
    wrong = records.stale(options.version)
    for stack in wrong:
        sys.stderr.write(
            f"error: tests/releases/{options.version}: the record of {stack} is not what the program "
            f"registers; expected that of `python -m tests.releases {options.version}`\n"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
