"""Checkpoints in a bucket: objects with final names, and a marker that is written last.

    <CHECKPOINTS_URI>/<run>/step-00000200/state.npz
    <CHECKPOINTS_URI>/<run>/step-00000200/complete.json     size and SHA-256 of the others

Nothing is renamed, appended to or overwritten, so that the same layout works through Mountpoint for S3 and
Cloud Storage FUSE. A step without the marker was cut off, and is never loaded. The platform's bucket deletes
old checkpoints.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from training.storage import Folder

_MARKER: Final = "complete.json"
_STEP: Final = "step-"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What was saved after a step."""

    step: int
    files: Mapping[str, bytes]
    facts: Mapping[str, Any]


class Checkpoints:
    """Those of one run. uri: the prefix of the namespace. run: a name; a job with the name of an earlier one
    continues it."""

    def __init__(self, uri: str, run: str) -> None:
        self._folder = Folder(f"{uri.rstrip('/')}/{run}")

    def save(self, step: int, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> None:
        """Write the files of a step, and then the marker."""
        for name, data in files.items():
            self._folder.write(f"{_STEP}{step:08d}/{name}", data)
        digests = {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        }
        marker = {"step": step, "files": digests, "facts": dict(facts)}
        self._folder.write(f"{_STEP}{step:08d}/{_MARKER}", json.dumps(marker, indent=1).encode())

    def latest(self) -> Checkpoint | None:
        """Return the last complete checkpoint; None where there is none."""
        for name in sorted(self._folder.folders(), reverse=True):
            if name.startswith(_STEP):
                checkpoint = self._read(name)
                if checkpoint is not None:
                    return checkpoint
                log.warning("%s/%s is not complete", self._folder.uri, name)
        return None

    def _read(self, name: str) -> Checkpoint | None:
        try:
            marker = json.loads(self._folder.read(f"{name}/{_MARKER}"))
            files = {file: self._folder.read(f"{name}/{file}") for file in marker["files"]}
        except FileNotFoundError:
            return None
        for file, data in files.items():
            if hashlib.sha256(data).hexdigest() != marker["files"][file]["sha256"]:
                return None
        return Checkpoint(marker["step"], files, marker["facts"])
