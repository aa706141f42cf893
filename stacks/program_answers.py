"""How a module of the program answers a command: the document of one environment, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from stacks.loading import ENVIRONMENTS, SettingsError, load_file
from stacks.settings import Settings


def answer(arguments: Sequence[str], document_of: Callable[[Settings], Any]) -> int:
    """Print the document of the environment that is the only argument. Return the exit code."""
    (name,) = arguments
    try:
        settings = load_file(ENVIRONMENTS / f"Pulumi.{name}.yaml")
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{json.dumps(document_of(settings), indent=1)}\n")
    return 0
