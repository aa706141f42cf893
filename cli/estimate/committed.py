"""The committed estimates, docs/estimates/<environment>.json, at any commit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from cli.output import CommandError

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = Path("docs/estimates")


def path(environment: str) -> Path:
    """Return the path of an environment's estimate in the repository."""
    return FOLDER / f"{environment}.json"


def text(document: Mapping[str, Any]) -> str:
    """Return the content of an estimate's file: an entry of a list or an object is one line."""
    return (
        "{\n"
        + ",\n".join(f"{json.dumps(key)}: {_entries(value)}" for key, value in document.items())
        + "\n}\n"
    )


def _entries(value: Any) -> str:
    if isinstance(value, dict) and value:
        pairs = cast("dict[str, Any]", value).items()
        return "{\n" + ",\n".join(f" {json.dumps(key)}: {json.dumps(entry)}" for key, entry in pairs) + "\n}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f" {json.dumps(entry)}" for entry in cast("list[Any]", value)) + "\n]"
    return json.dumps(value)


def now(environment: str, root: Path = ROOT) -> dict[str, Any]:
    """Return the estimate in the working tree. Raises CommandError where there is none."""
    file = root / path(environment)
    if not file.is_file():
        raise CommandError(f"{path(environment)} does not exist; expected a file that `make generate` writes")
    return json.loads(file.read_text())


def at_ref(environment: str, ref: str, root: Path = ROOT) -> dict[str, Any]:
    """Return the estimate that a commit, a branch or a tag has. Raises CommandError where it has none."""
    # The separator: a ref is no option, whatever it begins with.
    completed = subprocess.run(
        ["git", "show", "--end-of-options", f"{ref}:{path(environment).as_posix()}"],  # noqa: S607 - the user's git
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        raise CommandError(
            f"--diff {ref}: no {path(environment)} there: {completed.stderr.strip()}; "
            "expected a commit, branch or tag with the committed estimate"
        )
    return json.loads(completed.stdout)
