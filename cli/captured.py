"""Pulumi commands in a twin whose output is captured and not shown."""

from __future__ import annotations

import subprocess

from twin import environment
from twin.world import World


def pulumi(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pulumi <arguments>` and capture its output.

    It runs in the twin's own project folder: the engine writes the encryption salt of a new stack next to the
    Pulumi.yaml there, and the repository's must stay as it is.
    """
    return subprocess.run(
        [environment.engine(world), *arguments, "--cwd", str(environment.project_folder(world))],
        env=environment.complete(world),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
