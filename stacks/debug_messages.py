"""Keeps the SDK's debug messages from the engine, which shows them with `--debug` alone.

The SDK sends some six for each resource, each in a call that the program waits for (pulumi 3.274). The engine
does not pass that option to a program.
"""

import os
from typing import Any, Final

from pulumi import log

VARIABLE: Final = "AIPLATFORM_SDK_DEBUG"
"""The variable that lets them be sent: any value but an empty one."""


def leave_out() -> None:
    """Let the SDK send no debug message from now on, unless the variable is set."""
    if not os.environ.get(VARIABLE):
        log.debug = _ignore


def _ignore(*_arguments: Any, **_options: Any) -> None:
    pass
