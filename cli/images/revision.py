"""What git knows of a folder: its files, its commit, and whether it has changes that no commit has."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cli.output import CommandError


@dataclass(frozen=True)
class Revision:
    """The commit of a folder."""

    commit: str
    """40 hexadecimal digits."""
    seconds: int
    """When it was committed, Unix time."""
    source: str
    """The address of the repository without credentials; empty where it has no remote `origin`."""
    dirty: bool
    """Whether the folder has changes that the commit lacks."""


def revision_of(folder: Path) -> Revision:
    """Return the commit of a folder. Raises CommandError where it is in no repository or has no commit."""
    commit, seconds = _git(folder, "log", "-1", "--format=%H %ct").split()
    changes = _git(folder, "status", "--porcelain", "--untracked-files=all", "--", ".")
    return Revision(commit, int(seconds), _source(folder), bool(changes.strip()))


def tracked(folder: Path, *, untracked: bool = False) -> list[Path]:
    """Return the files that git tracks in a folder, relative to it. untracked: also new ones that it does not
    ignore."""
    kinds = ["--cached", *(["--others", "--exclude-standard"] if untracked else [])]
    return [Path(name) for name in _git(folder, "ls-files", "-z", *kinds, "--", ".").split("\0") if name]


def _source(folder: Path) -> str:
    try:
        address = _git(folder, "remote", "get-url", "origin").strip()
    except CommandError:
        return ""
    return without_credentials(address)


def without_credentials(address: str) -> str:
    """Return an address of a repository without user and password: a label of an image is public to its
    readers."""
    parts = urlsplit(address)
    if not parts.scheme or not parts.hostname:
        return address
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _git(folder: Path, *arguments: str) -> str:
    # A hook's variables would point git at another repository.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's git
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError("git is not on PATH; expected it: it lists the files of an image") from error
    if answer.returncode != 0:
        raise CommandError(f"{folder}: git: {answer.stderr.strip()}; expected a commit of a repository")
    return answer.stdout
