"""Folders that the trainer saved, as objects with final names; the marker is written last.

transformers writes a checkpoint to a local folder, because it renames; a copy goes to
<CHECKPOINTS_URI>/<run>/step-00000200/, and a start on a new node copies it back.
"""

from __future__ import annotations

import json
from pathlib import Path

from fine_tune.storage import Folder

MARKER = "complete.json"


class Checkpoints:
    """Those of one run. uri: the prefix of the namespace."""

    def __init__(self, uri: str, run: str) -> None:
        self._uri = f"{uri}/{run}"

    def save(self, step: int, folder: Path, mlflow_run: str) -> None:
        """Copy a folder to the bucket."""
        there = Folder(f"{self._uri}/step-{step:08d}")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        names = [path.relative_to(folder).as_posix() for path in files]
        for name, path in zip(names, files, strict=True):
            there.write(name, path.read_bytes())
        there.write(MARKER, json.dumps({"files": names, "mlflow_run": mlflow_run}).encode())

    def latest(self, parent: Path) -> tuple[Path, str] | None:
        """Copy the last complete checkpoint to `parent`; return its folder and the run in MLflow."""
        for name in sorted(Folder(self._uri).folders(), reverse=True):
            there = Folder(f"{self._uri}/{name}")
            try:
                marker = json.loads(there.read(MARKER))
            except FileNotFoundError:
                continue  # it was cut off
            # The trainer finds the step in the folder's name.
            folder = parent / f"checkpoint-{int(name.removeprefix('step-'))}"
            for file in marker["files"]:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(there.read(file))
            return folder, marker["mlflow_run"]
        return None
