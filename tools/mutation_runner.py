"""Runs tests in a tree that changes between runs: each in a fork of a process that has the SDKs loaded.

It reads lists of tests from standard input, one a line in JSON, and writes the first test that fails, or an
empty text. Nothing of the tree itself is loaded before the fork, so each run sees the tree as it is.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from tools.mutate import first_failure

TREE: Final = Path.cwd()
SECONDS: Final = 180
"""How long a run may take: a mutation may make a loop that does not end."""


def run(tests: list[str]) -> tuple[str, list[str]]:
    """The first test that fails, and the modules outside of the tree that the run has loaded."""
    with tempfile.TemporaryDirectory(prefix="mutate-run-") as folder:
        output, modules = Path(folder) / "output", Path(folder) / "modules"
        child = os.fork()
        if child == 0:
            _child(tests, output, modules)
        _, status = os.waitpid(child, 0)
        text = output.read_text() if output.is_file() else ""
        loaded = json.loads(modules.read_text()) if modules.is_file() else []
        return ("" if status == 0 else first_failure(text)), loaded


def _child(tests: list[str], output: Path, modules: Path) -> None:
    os.setpgid(0, 0)
    signal.alarm(SECONDS)
    import pytest

    code = 1
    try:
        with output.open("w") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
            arguments = [
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                "-m",
                "not end_to_end and not build",
            ]
            code = int(pytest.main([*arguments, *tests]))
            sys.stdout.flush()
        modules.write_text(json.dumps(sorted(filter(_outside, sys.modules))))
    finally:
        os._exit(code)


def _outside(name: str) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    return bool(file) and not Path(str(file)).is_relative_to(TREE) and not name.startswith(("_pytest", "__"))


def main() -> None:
    """Serve until standard input ends."""
    gc.disable()
    known: set[str] = set()
    for line in sys.stdin:
        failure, loaded = run(json.loads(line))
        for name in loaded:
            if name not in known:
                known.add(name)
                # Some modules cannot be loaded by themselves: the next fork loads them again.
                with suppress(Exception):
                    importlib.import_module(name)
        gc.freeze()
        sys.stdout.write(json.dumps(failure) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
