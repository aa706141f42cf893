"""Run scripts of a client in forks of a process that has imported their packages.

Importing MLflow takes 3 s of CPU and Feast 8, and their tests run some thirty scripts. Each script has a
separate process and separate variables: no connection, session or setting of one reaches the next.

One request a line on stdin: {"script", "env", "stdin", "stdout", "stderr"}, the last three being files. The
answers, one a line on stdout, are {"pid"} when the script starts and {"code"} when it has ended.
"""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Serve requests until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        _import(Path(request["script"]))
        # The collector of a fork need not look through the packages, which would copy their memory.
        gc.freeze()
        process = os.fork()
        if process == 0:
            _run(request)
            return
        _answer({"pid": process})
        _, status = os.waitpid(process, 0)
        _answer({"code": os.waitstatus_to_exitcode(status)})


def _import(script: Path) -> None:
    """Import the modules that a script imports at its top. The script itself reports one that fails."""
    for node in ast.parse(script.read_text()).body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        else:
            continue
        for name in names:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def _run(request: dict[str, Any]) -> None:
    """Become the script's process."""
    os.setsid()
    for number, (name, flags) in enumerate(
        (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY))
    ):
        opened = os.open(request[name], flags)
        os.dup2(opened, number)
        os.close(opened)
    # What the buffered reader has of the next requests is not the script's input.
    sys.stdin = os.fdopen(0, closefd=False)
    faulthandler.enable()
    os.environ.update(request["env"])
    sys.argv = [request["script"]]
    sys.path[0] = str(Path(request["script"]).parent)
    runpy.run_path(request["script"], run_name="__main__")


def _answer(content: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
