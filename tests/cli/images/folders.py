"""Folders that `aiplatform image build` builds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

IMAGE = """\
framework = "{framework}"
repository = "training"
{pool}entrypoint = ["python", "train.py"]
"""
PROJECT = """\
[project]
name = "fine-tune"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []
"""
LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "fine-tune"
version = "0.1.0"
source = {{ virtual = "." }}
{packages}"""


def write(
    folder: Path, framework: str = "python", pool: str = "", files: dict[str, str] | None = None
) -> Path:
    """Write a folder in a repository and commit it; return the folder."""
    target = folder / "repository" / "fine-tune"
    target.mkdir(parents=True)
    stated = f'pool = "{pool}"\n' if pool else ""
    content = {
        "image.toml": IMAGE.format(framework=framework, pool=stated),
        "pyproject.toml": PROJECT,
        "uv.lock": LOCK.format(packages=""),
        "train.py": "print('trains')\n",
        **(files or {}),
    }
    for name, text in content.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text)
    git(target.parent, "init", "-q", "-b", "main")
    commit(target)
    return target


def commit(folder: Path) -> None:
    """Commit all that is in a folder, at a fixed time."""
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "-q", "-m", "A change")


def git(folder: Path, *arguments: str) -> str:
    """Run git; return its output."""
    time = "2026-10-01T12:00:00+00:00"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    identity = ("-c", "user.name=A", "-c", "user.email=a@acme.example", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],  # noqa: S607 - the machine's git
        env={**variables, "GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def package(name: str, version: str, source: str = '{ registry = "https://pypi.org/simple" }') -> str:
    """Return an entry of uv.lock."""
    return f'\n[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {source}\n'
