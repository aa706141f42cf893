"""The Python environments of images, created by uv from a lock in the toolchain's cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from filelock import FileLock

from twin.environment import FOREIGN
from twin.toolchain.cache import cache_dir
from twin.toolchain.system_tools import find_uv

_SECONDS: Final = 900
_LAST_LINES: Final = 3


class ImageError(Exception):
    """An environment could not be created; the text contains the end of uv's output."""


def commands(project: Path | None) -> Path:
    """Return the folder with the commands of an environment, which is created on first use.

    project: a folder with pyproject.toml and uv.lock; None: the twin's own environment.
    """
    if project is None:
        return Path(sys.executable).parent
    lock = (project / "uv.lock").read_bytes() + (project / "pyproject.toml").read_bytes()
    version = f"{sys.version_info.major}.{sys.version_info.minor}".encode()
    folder = cache_dir() / "images" / f"{project.name}-{hashlib.sha256(lock + version).hexdigest()[:12]}"
    complete = folder / ".complete"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not complete.exists():
            _create(project, folder)
            complete.touch()
    return folder / "bin"


def _create(project: Path, folder: Path) -> None:
    uv = find_uv()
    if uv is None:
        raise ImageError("uv is not installed: `make setup` installs it")
    options = ["--frozen", "--quiet", "--no-dev", "--no-install-project", "--no-python-downloads"]
    machine = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    done = subprocess.run(
        [uv, "sync", *options, "--python", sys.executable, "--project", str(project)],
        env={**machine, "UV_PROJECT_ENVIRONMENT": str(folder)},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()[-_LAST_LINES:]
        raise ImageError(f"uv sync of {project}: exit status {done.returncode}: {' '.join(lines)}")
