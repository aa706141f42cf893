"""Pulumi commands in a twin whose output is captured and not shown."""

from __future__ import annotations

import subprocess

from cli import environment_files
from twin import environment
from twin.instances import Instance


def pulumi(instance: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pulumi <arguments>` and capture its output.

    It runs in the twin's own project folder: the engine writes the encryption salt of a new stack next to the
    Pulumi.yaml there, and the repository's must stay as it is.
    """
    return subprocess.run(
        [environment.engine(instance), *arguments, "--cwd", str(environment_files.project_folder(instance))],
        env=environment.complete(instance),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
