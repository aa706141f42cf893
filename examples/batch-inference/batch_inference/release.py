"""A released model, as its manifest describes it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

from batch_inference.storage import Folder


class DamagedError(Exception):
    """A file of the release is not the one of its manifest."""


def download(release: Folder, folder: Path) -> Path:
    """Write the model's files into a folder and return it. Raises DamagedError where a digest differs."""
    for path, entry in json.loads(release.read("manifest.json"))["files"].items():
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise DamagedError(f"{release.uri}: {path}: not below the release")
        data = release.read(f"model/{path}")
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise DamagedError(f"{release.uri}: model/{path}: differs from the manifest")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def load(release: Folder, folder: Path) -> Any:
    """Return the model, which MLflow loads from the verified files."""
    import mlflow

    return mlflow.pyfunc.load_model(str(download(release, folder)))
