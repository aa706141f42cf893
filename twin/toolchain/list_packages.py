"""Prints, as JSON, the distributions that this interpreter sees and their pulumi-plugin.json.

A separate program, run by the interpreter of a Pulumi program, which may hold nothing
but the standard library.
"""

import importlib.metadata
import json
import re
import sys
from typing import Any


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _plugin(distribution: importlib.metadata.Distribution, name: str) -> Any:
    path = distribution.locate_file(name.replace("-", "_") + "/pulumi-plugin.json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    except OSError:
        return None


def main() -> None:
    distributions = {
        _normal(distribution.metadata["Name"]): distribution
        for distribution in importlib.metadata.distributions()
    }
    required: set[str] = set()
    for distribution in distributions.values():
        for requirement in distribution.requires or []:
            if "extra ==" not in requirement:
                required.add(_normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]))
    listing = [
        {
            "name": name,
            "version": distribution.version,
            "required": name in required,
            "plugin": _plugin(distribution, name),
        }
        for name, distribution in sorted(distributions.items())
    ]
    json.dump(listing, sys.stdout)


if __name__ == "__main__":
    main()
