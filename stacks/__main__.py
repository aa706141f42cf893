"""The program: reads the settings, builds the layers in order, exports."""

from __future__ import annotations

# ruff: noqa: E402
import atexit
import gc
import sys
from pathlib import Path

# Importing the SDKs and registering resources create many objects that last to the end: garbage collection is
# a quarter of the time of the first and half of that of the second.
gc.disable()
# The interpreter would collect again when it ends: four tenths of a second, for memory that is freed anyway.
atexit.register(gc.freeze)

import pulumi

# The engine runs this file by its path: its imports are next to its folder, and in components/.
_ROOT = Path(__file__).resolve().parents[1]
for folder in (str(_ROOT / "components"), str(_ROOT)):
    if folder not in sys.path:
        sys.path.insert(0, folder)

from aiplatform._shared.args import ArgumentError
from stacks import debug_messages, stack_traces
from stacks.loading import SettingsError, load_engine


async def main() -> None:
    """Deploy one stack: an environment, or a layer of one."""
    try:
        loaded = load_engine(pulumi.get_stack())
        # Imported late: a problem of the file is reported before the clouds' SDKs load, which takes a second.
        from stacks import program

        await program.deploy(loaded)
    except (SettingsError, ArgumentError) as error:
        # The engine prints a RunError as it is, without a traceback that would hide it.
        raise pulumi.RunError(str(error)) from None


debug_messages.leave_out()
stack_traces.shorten()
pulumi.run(main)
