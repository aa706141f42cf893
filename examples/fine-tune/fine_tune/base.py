"""The base model: an imported release, whose files are those of its manifest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath

from fine_tune.storage import Folder


class DamagedError(Exception):
    """A file of the release is not the one of its manifest, or not one to load."""


def download(release: Folder, folder: Path) -> Path:
    """Write the model's files into a folder and return it. Raises DamagedError where a digest differs.

    An import has weights as safetensors only; a pickled file could run code, so none is accepted here.
    """
    for path, entry in json.loads(release.read("manifest.json"))["files"].items():
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or parts.suffix in (".bin", ".pt", ".pth", ".pkl"):
            raise DamagedError(f"{release.uri}: {path}: not a file of an import")
        data = release.read(f"model/{path}")
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise DamagedError(f"{release.uri}: model/{path}: differs from the manifest")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
