"""Programs on PATH in place of builders and of cosign: they record how they are called."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = """\
#!{python}
import json, os, shutil, sys
record = {{"arguments": sys.argv[1:], "environment": dict(os.environ)}}
config = os.path.join(os.environ.get("DOCKER_CONFIG", "/nonexistent"), "config.json")
if os.path.exists(config):
    record["login"] = json.load(open(config))
    record["mode"] = os.stat(config).st_mode & 0o777
with open({calls!r}, "a") as file:
    file.write(json.dumps(record) + "\\n")
if {failing!r} in sys.argv:
    sys.exit("it fails")
for word in sys.argv:
    for part in word.split(","):
        for start in ("dest=", "oci-archive:"):
            if part.startswith(start):
                shutil.copyfile({result!r}, part[len(start):])
print("output of the program")
"""


class Programs:
    """A folder that is PATH."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("git", "uv"):
            (folder / name).symlink_to(_program_on_path(name))
        # uv looks for a Python that the folder accepts.
        (folder / "python3").symlink_to(Path(sys.executable).resolve())
        patch.setenv("PATH", str(folder))
        self._calls = folder / "calls"

    def add(self, name: str, result: Path | None = None, failing: str = "nothing") -> None:
        """Add a program. result: what it writes as the image. failing: an argument with which it fails."""
        text = _PROGRAM.format(
            python=sys.executable, calls=str(self._calls), result=str(result), failing=failing
        )
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """How they were called."""
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [json.loads(line) for line in lines]


def _program_on_path(name: str) -> str:
    program = shutil.which(name)
    assert program is not None, f"{name} is on PATH"
    return program
