"""The manifest of a release: its files with their digests, and what the model was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from model_release import names
from model_release.errors import RefusedError, VerificationError
from model_release.lineage import Lineage

FILE: Final = "manifest.json"
FOLDER: Final = "model"
"""The folder of the model's files in a release."""
_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_FIXED: Final = ConfigDict(extra="forbid", frozen=True)


class Entry(BaseModel):
    """A file of a release. size: bytes. sha256: hexadecimal."""

    model_config = _FIXED

    size: Annotated[int, Field(ge=0)]
    sha256: _Digest


class FromRegistry(BaseModel):
    """A version of MLflow, and the location that its files were copied from."""

    model_config = _FIXED

    kind: Literal["mlflow"] = "mlflow"
    model: str
    version: str
    location: str


class FromHub(BaseModel):
    """A revision of Hugging Face. skipped: files of the revision that were left out."""

    model_config = _FIXED

    kind: Literal["huggingface"] = "huggingface"
    repository: str
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
    endpoint: str
    licence: str
    skipped: list[str]


class Manifest(BaseModel):
    """A release. files: path below `model/` -> entry. lineage: None for an import."""

    model_config = _FIXED

    format: Literal[1] = 1
    team: str
    model: str
    version: str
    source: Annotated[FromRegistry | FromHub, Field(discriminator="kind")]
    lineage: Lineage | None
    created_at: datetime
    files: Annotated[dict[str, Entry], Field(min_length=1)]

    def to_json(self) -> bytes:
        """Return the file."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    def is_same_release(self, other: Manifest) -> bool:
        """Whether both describe the same files of the same source; only the time may differ."""
        return self.model_copy(update={"created_at": other.created_at}) == other


def parse(data: bytes, name: str) -> Manifest:
    """Return the manifest of a file. name: of the release, for errors. Raises VerificationError."""
    try:
        manifest = Manifest.model_validate_json(data)
        for path in manifest.files:
            names.file_path(path)
    except (ValidationError, RefusedError) as error:
        raise VerificationError(f"{name}: no manifest: {error}") from error
    return manifest


def digest_of(chunks: Iterable[bytes]) -> Entry:
    """Return size and digest of a file that is read in chunks."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return Entry(size=size, sha256=digest.hexdigest())


def digest_of_file(path: Path) -> Entry:
    """Return size and digest of a file."""
    with path.open("rb") as file:
        return Entry(size=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def compare(expected: Mapping[str, Entry], actual: Mapping[str, Entry], name: str) -> None:
    """Compare files with a manifest's. Raises VerificationError, which names every difference."""
    problems = [f"{path}: missing" for path in expected if path not in actual]
    problems += [f"{path}: not in the manifest" for path in actual if path not in expected]
    for path in expected.keys() & actual.keys():
        if expected[path] != actual[path]:
            problems.append(
                f"{path}: got {actual[path].size} bytes, sha256 {actual[path].sha256}; expected "
                f"{expected[path].size} bytes, sha256 {expected[path].sha256}"
            )
    if problems:
        raise VerificationError(f"{name}: differs from its manifest:\n  " + "\n  ".join(sorted(problems)))


def verify_folder(folder: Path, data: bytes, name: str) -> Manifest:
    """Compare a local copy of a release's files with its manifest, as an initializer of a server does.

    folder: a copy of `model/`. data: the manifest. Returns it. Raises VerificationError, also for a link,
    which could lead out of the folder.
    """
    manifest = parse(data, name)
    actual: dict[str, Entry] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise VerificationError(f"{name}: {relative}: a link; expected a file")
        if path.is_file():
            actual[relative] = digest_of_file(path)
    compare(manifest.files, actual, name)
    return manifest
