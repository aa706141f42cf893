"""The program: reads the settings, builds the layers in order, exports."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pulumi

# The engine runs this file by its path: what it imports stands beside its folder, and in components/.
_ROOT = Path(__file__).resolve().parents[1]
for place in (str(_ROOT / "components"), str(_ROOT)):
    if place not in sys.path:
        sys.path.insert(0, place)

from aiplatform._args import ArgumentError  # noqa: E402
from stacks import foundation  # noqa: E402
from stacks.loading import SettingsError, load_engine  # noqa: E402


def main() -> None:
    """One stack, one environment."""
    # Registering resources makes many objects that live to the end: collecting among them is half the time.
    gc.freeze()
    gc.disable()
    try:
        settings = load_engine(pulumi.get_stack())
        foundation.export(foundation.build(settings))
    except (SettingsError, ArgumentError) as error:
        # A RunError is told as it stands, without the traceback that would hide it.
        raise pulumi.RunError(str(error)) from None


main()
