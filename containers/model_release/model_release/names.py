"""Names: of models, versions, aliases and files. Each is checked before it becomes part of a key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from model_release.errors import RefusedError

_TEAM: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MODEL: Final = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,9}|hf-[0-9a-f]{40}")
_ALIAS: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_PATH_BYTES: Final = 700
"""With the prefix a key has at most 1024 bytes (S3, "Naming objects"; Cloud Storage, "Object names")."""
PROMOTIONS: Final = "promotions"
"""The folder of a model's log, which no version is called."""
IMPORTS: Final = "imports"
"""The folder of imports, the only one that the importing identity writes; no team is called so."""


@dataclass(frozen=True)
class Model:
    """A model of a team."""

    team: str
    name: str

    @property
    def registered_name(self) -> str:
        """Its name in MLflow, which has no folders: `TEAM.MODEL`."""
        return f"{self.team}.{self.name}"

    @property
    def prefix(self) -> str:
        """The prefix of its releases."""
        return f"{self.team}/{self.name}/"

    def __str__(self) -> str:
        return f"{self.team}/{self.name}"


def model(text: str) -> Model:
    """Return the model `TEAM/MODEL`. Raises RefusedError for another form."""
    team, _, name = text.partition("/")
    if team == IMPORTS or not _TEAM.fullmatch(team) or not _MODEL.fullmatch(name):
        raise RefusedError(
            f"model: got {text!r}; expected TEAM/MODEL, each of lower-case letters, digits and hyphens "
            f"(in MODEL also _), at most 63; no team is called {IMPORTS}"
        )
    return Model(team, name)


def version(text: str) -> str:
    """Return a version: a number of MLflow's, or `hf-` and a commit for an import. Raises RefusedError."""
    if not _VERSION.fullmatch(text):
        raise RefusedError(
            f"version: got {text!r}; expected the number of a version in MLflow, or hf-COMMIT of an import"
        )
    return text


def is_import(release: str) -> bool:
    """Whether a version is an import from Hugging Face."""
    return release.startswith("hf-")


def alias(text: str, guarded: frozenset[str]) -> str:
    """Return an alias that only this program's account sets. Raises RefusedError for another one, which the
    author of a model could move afterwards."""
    if not _ALIAS.fullmatch(text) or text not in guarded:
        raise RefusedError(
            f"alias: got {text!r}; expected one that the model registry guards: {', '.join(sorted(guarded))}"
        )
    return text


def file_path(text: str) -> str:
    """Return the path of a model's file, relative to the model. Raises RefusedError for one that leaves the
    model's folder or that file systems and stores read in different ways."""
    path = PurePosixPath(text)
    if (
        not text
        or str(path) != text
        or path.is_absolute()
        or {".", ".."} & set(path.parts)
        or "\\" in text
        or not text.isprintable()
        or len(text.encode()) > _PATH_BYTES
    ):
        raise RefusedError(
            f"file {text!r}: expected a relative path without '..' and control characters, "
            f"at most {_PATH_BYTES} bytes"
        )
    return text
