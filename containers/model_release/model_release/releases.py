"""Releases in their bucket: written once, file by file, and complete with their manifest."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model_release import card, manifest, names
from model_release.errors import RefusedError, VerificationError
from model_release.manifest import Entry, Manifest
from model_release.objects import ExistsError, Objects, read

_CARD: Final = "card.json"


@dataclass(frozen=True)
class Release:
    """A release, or the place of one. imported: whether it is an import that is not promoted yet."""

    objects: Objects
    model: names.Model
    version: str
    imported: bool = False

    def __str__(self) -> str:
        return f"{'import' if self.imported else 'release'} {self.model} {self.version}"

    @property
    def _prefix(self) -> str:
        return f"{prefix_of(self.model, imported=self.imported)}{self.version}/"

    @property
    def _files(self) -> str:
        return f"{self._prefix}{manifest.FOLDER}/"

    def add(self, path: str, local: Path) -> Entry:
        """Copy a file into the release, and return its entry. One that is there already stays.

        What the bucket has is read back and compared. Raises RefusedError where it is another content: of an
        interrupted attempt, after which the source has changed.
        """
        entry = manifest.digest_of_file(local)
        with contextlib.suppress(ExistsError):
            self.objects.create_file(self._key(path), local)
        self._compare(path, entry)
        return entry

    def has(self, path: str, entry: Entry) -> bool:
        """Whether a file is there. Raises RefusedError where it has another content."""
        key = self._key(path)
        if key not in self.objects.sizes(key):
            return False
        self._compare(path, entry)
        return True

    def _key(self, path: str) -> str:
        return self._files + names.file_path(path)

    def _compare(self, path: str, entry: Entry) -> None:
        stored = manifest.digest_of(self.objects.chunks(self._key(path)))
        if stored != entry:
            raise RefusedError(
                f"{self}: {path}: the release has another content (sha256 {stored.sha256}) than its source "
                f"({entry.sha256}); expected the same, as the source may not change after an interrupted "
                "attempt: register another version"
            )

    def add_card(self, content: card.Card) -> None:
        """Write the card. Raises RefusedError where the release has another one."""
        try:
            self.objects.create_bytes(f"{self._prefix}{_CARD}", content.to_json())
        except ExistsError as error:
            if self.card() != content:
                raise RefusedError(
                    f"{self}: has another model card; expected the same one, as a release does not change"
                ) from error

    def card(self) -> card.Card | None:
        """Return the card; None where there is none. Raises RefusedError for one that is none."""
        data = read(self.objects, f"{self._prefix}{_CARD}")
        return None if data is None else card.parse(data, f"{self}: {_CARD}")

    def finish(self, content: Manifest) -> Manifest:
        """Write the manifest, which completes the release, and return the one that the bucket has: another
        process may have written it. Raises RefusedError where that is of another content."""
        self._no_others(content)
        with contextlib.suppress(ExistsError):
            self.objects.create_bytes(f"{self._prefix}{manifest.FILE}", content.to_json())
        stored = self.manifest()
        if stored is None or not stored.is_same_release(content):
            raise RefusedError(f"{self}: is finished with another content; expected another version")
        return stored

    def _no_others(self, content: Manifest) -> None:
        others = {key.removeprefix(self._files) for key in self.objects.sizes(self._files)} - set(
            content.files
        )
        if others:
            raise RefusedError(
                f"{self}: has files of an interrupted attempt that its source no longer has: "
                f"{', '.join(sorted(others))}; expected the same files: register another version"
            )

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises FileNotFoundError."""
        return self.objects.chunks(self._key(path))

    def fetch(self, path: str, folder: Path) -> Path:
        """Copy a file of the release into a folder, and return where it is."""
        local = folder / names.file_path(path)
        local.parent.mkdir(parents=True, exist_ok=True)
        with local.open("wb") as file:
            for chunk in self.objects.chunks(self._key(path)):
                file.write(chunk)
        return local

    def manifest(self) -> Manifest | None:
        """Return the manifest; None where the release is not finished. Raises VerificationError."""
        data = self._manifest_bytes()
        return None if data is None else self._parsed(data)

    def _manifest_bytes(self) -> bytes | None:
        return read(self.objects, f"{self._prefix}{manifest.FILE}")

    def _parsed(self, data: bytes) -> Manifest:
        content = manifest.parse(data, str(self))
        if (content.team, content.model, content.version) != (self.model.team, self.model.name, self.version):
            raise VerificationError(
                f"{self}: the manifest is of {content.team}/{content.model} {content.version}"
            )
        return content

    def verify(self, digest: str | None = None) -> tuple[Manifest, str]:
        """Read all files and compare them with the manifest; return it, and its SHA-256.

        digest: what the log of promotions states for the manifest. Raises VerificationError.
        """
        data = self._manifest_bytes()
        if data is None:
            raise VerificationError(f"{self}: no manifest; expected a finished release")
        actual = hashlib.sha256(data).hexdigest()
        if digest is not None and actual != digest:
            raise VerificationError(
                f"{self}: the manifest has sha256 {actual}; the log of promotions states {digest}"
            )
        content = self._parsed(data)
        keys = self.objects.sizes(self._files)
        files = {key.removeprefix(self._files): manifest.digest_of(self.objects.chunks(key)) for key in keys}
        manifest.compare(content.files, files, str(self))
        return content, actual


def prefix_of(model: names.Model, *, imported: bool) -> str:
    """Return the prefix of a model's releases, or of its imports."""
    return f"{names.IMPORTS}/{model.prefix}" if imported else model.prefix


def versions(objects: Objects, model: names.Model, *, imported: bool = False) -> list[str]:
    """Return the versions of a model that have a prefix, finished or not, the oldest first."""
    folders = set(objects.folders(prefix_of(model, imported=imported))) - {names.PROMOTIONS}
    return sorted(folders, key=lambda name: (names.is_import(name), len(name), name))


def models(objects: Objects, team: str = "") -> list[names.Model]:
    """Return all models that have releases, or those of a team."""
    teams = [team] if team else [name for name in objects.folders("") if name != names.IMPORTS]
    return [names.Model(name, folder) for name in teams for folder in objects.folders(f"{name}/")]
