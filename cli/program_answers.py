"""What a module of the program answers: the CLI does not import `stacks`, whose packages it can lack."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from cli import environment_files
from cli.output import CommandError


def answer_of(module: str, *arguments: str) -> Any:
    """Return the JSON document that `python -m stacks.MODULE` prints. Raises CommandError with its errors."""
    answer = subprocess.run(
        [sys.executable, "-m", f"stacks.{module}", *arguments],
        cwd=environment_files.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise CommandError(answer.stderr.strip())
    return json.loads(answer.stdout)
