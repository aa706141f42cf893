"""Which folders with image.toml a workflow builds, and for which environments: lines of `$GITHUB_OUTPUT`.

    python3 tools/image_folders.py

From the environment: FOLDER and ENVIRONMENT of a run by hand; of a push BEFORE, the commit that it replaces.
A push builds what it has changed, for the environments of DEVELOPMENT. Where that commit is not known (a new
branch, a forced push), it builds all. A folder whose image.toml names other environments is left out, with a
note on stderr. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DESCRIPTION: Final = "image.toml"
DEVELOPMENT: Final = ("aws-dev", "gcp-dev")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_NONE: Final = "0" * 40


def main(variables: Mapping[str, str], root: Path = ROOT) -> int:
    """Print the output `images`, a list in JSON of folder and environment. Return the exit code."""
    known = _folders(root)
    wanted, environment = variables.get("FOLDER", "").strip("/"), variables.get("ENVIRONMENT", "")
    if wanted and wanted not in known:
        sys.stderr.write(f"{wanted}: has no {DESCRIPTION}; expected one of {', '.join(known)}\n")
        return 1
    if environment:
        folders = [wanted] if wanted else known
    else:
        changed = _changed(root, variables.get("BEFORE", ""))
        folders = known if changed is None else [name for name in known if _is_in(name, changed)]
    environments = [environment] if environment else list(DEVELOPMENT)
    images: list[dict[str, str]] = []
    for folder in folders:
        meant = _environments(root / folder)
        fitting = [name for name in environments if not meant or name in meant]
        if not fitting:
            known = f"{', '.join(environments)}; its {DESCRIPTION} names {', '.join(meant)}"
            sys.stderr.write(f"{folder}: no image for {known}\n")
        images += [{"folder": folder, "environment": name} for name in fitting]
    if wanted and not images:
        return 1
    sys.stdout.write(f"images={json.dumps(images)}\n")
    return 0


def _environments(folder: Path) -> list[str]:
    """Return the environments that a folder names. What is wrong in its file is reported by its build."""
    try:
        stated = tomllib.loads((folder / DESCRIPTION).read_text()).get("environments", [])
    except tomllib.TOMLDecodeError:
        return []
    return [str(name) for name in stated] if isinstance(stated, list) else []


def _folders(root: Path) -> list[str]:
    files = _git(root, "ls-files", "--", f"*/{DESCRIPTION}").splitlines()
    return sorted(str(Path(file).parent) for file in files)


def _changed(root: Path, before: str) -> list[str] | None:
    """Return the files that differ from a commit; None where it is not known."""
    if not _COMMIT.fullmatch(before) or before == _NONE:
        return None
    try:
        return _git(root, "diff", "--name-only", before, "HEAD").splitlines()
    except subprocess.CalledProcessError:
        return None


def _is_in(folder: str, files: list[str]) -> bool:
    return any(file.startswith(f"{folder}/") for file in files)


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(os.environ))
