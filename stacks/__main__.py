"""The program: reads the settings, builds the layers in order, exports."""

from __future__ import annotations

# ruff: noqa: E402
import atexit
import gc
import sys
from pathlib import Path

# Importing the SDKs and registering resources make many objects that live to the end: collecting among them
# is a quarter of the time of the first and half of that of the second.
gc.disable()
# The interpreter would collect once more when it ends: four tenths of a second, for memory that goes back all
# the same.
atexit.register(gc.freeze)

import pulumi

# The engine runs this file by its path: what it imports stands beside its folder, and in components/.
_ROOT = Path(__file__).resolve().parents[1]
for place in (str(_ROOT / "components"), str(_ROOT)):
    if place not in sys.path:
        sys.path.insert(0, place)

from aiplatform._shared.args import ArgumentError
from stacks.loading import SettingsError, load_engine


def main() -> None:
    """One stack, one environment."""
    try:
        settings = load_engine(pulumi.get_stack())
        # Imported late: a problem of the file is told without the clouds' SDKs, which take a second to load.
        from stacks import program

        program.export(program.build(settings))
    except (SettingsError, ArgumentError) as error:
        # A RunError is told as it stands, without the traceback that would hide it.
        raise pulumi.RunError(str(error)) from None


main()
