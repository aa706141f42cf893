"""Build the controllers and tools that the tests of this tier run: `python -m tests.controllers.build`.
Otherwise the minutes that it takes would be those of the first test."""

from __future__ import annotations

from cli.progress import show_progress
from twin.toolchain import build

if __name__ == "__main__":
    with show_progress() as progress:
        build.ensure([*build.CONTROLLERS, *build.MONITORING_TOOLS, "opencost"], progress=progress)
