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
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyarrow import fs

_MARKER: Final = "complete.json"
_STEP: Final = "step-"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What was saved after a step."""

    step: int
    files: Mapping[str, bytes]
    facts: Mapping[str, Any]


def file_system(uri: str) -> tuple[Any, str]:
    """Return the file system of a URI and the path in it, with the identity of this process.

    `s3://` needs AWS_REGION, which the platform's ConfigMap has.
    """
    scheme, _, path = uri.rstrip("/").partition("://")
    if scheme == "s3":
        return fs.S3FileSystem(region=os.environ["AWS_REGION"]), path
    if scheme == "gs":
        return fs.GcsFileSystem(), path
    if scheme == "file":
        return fs.LocalFileSystem(), path
    raise ValueError(f"{uri}: unknown scheme; expected s3, gs or file")


class Checkpoints:
    """Those of one run. uri: the prefix of the namespace. run: a name; a job with the name of an earlier one
    continues it."""

    def __init__(self, uri: str, run: str) -> None:
        self._system, path = file_system(uri)
        self._root = f"{path}/{run}"

    def save(self, step: int, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> None:
        """Write the files of a step, and then the marker."""
        for name, data in files.items():
            self._write(f"{_STEP}{step:08d}/{name}", data)
        digests = {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        }
        marker = {"step": step, "files": digests, "facts": dict(facts)}
        self._write(f"{_STEP}{step:08d}/{_MARKER}", json.dumps(marker, indent=1).encode())

    def latest(self) -> Checkpoint | None:
        """Return the last complete checkpoint; None where there is none."""
        entries = self._system.get_file_info(fs.FileSelector(self._root, allow_not_found=True))
        for name in sorted((entry.base_name for entry in entries), reverse=True):
            if name.startswith(_STEP):
                checkpoint = self._read(name)
                if checkpoint is not None:
                    return checkpoint
                log.warning("%s/%s is not complete", self._root, name)
        return None

    def _read(self, name: str) -> Checkpoint | None:
        try:
            marker = json.loads(self._content(f"{name}/{_MARKER}"))
            files = {file: self._content(f"{name}/{file}") for file in marker["files"]}
        except FileNotFoundError:
            return None
        for file, data in files.items():
            if hashlib.sha256(data).hexdigest() != marker["files"][file]["sha256"]:
                return None
        return Checkpoint(marker["step"], files, marker["facts"])

    def _write(self, name: str, data: bytes) -> None:
        path = f"{self._root}/{name}"
        if isinstance(self._system, fs.LocalFileSystem):
            self._system.create_dir(path.rpartition("/")[0])
        with self._system.open_output_stream(path) as file:
            file.write(data)

    def _content(self, name: str) -> bytes:
        with self._system.open_input_stream(f"{self._root}/{name}") as file:
            return file.read()
