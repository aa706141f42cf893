"""Copies of releases for servers: every file is compared with the manifest while it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from model_release import manifest, names
from model_release.errors import RefusedError, VerificationError
from model_release.manifest import Entry, Manifest
from model_release.objects import Objects
from model_release.releases import Release

_THREADS: Final = 4
"""Files that are copied at a time, each in chunks: memory does not depend on their sizes."""


def pairs_of(arguments: Sequence[str]) -> list[tuple[str, Path]]:
    """Return the pairs of a URI and a folder. Raises RefusedError where one lacks its folder, and where a
    folder is in another one: a copy begins with an empty folder."""
    if not arguments or len(arguments) % 2:
        raise RefusedError(f"got {len(arguments)} arguments; expected pairs of a URI and a folder")
    folders = [Path(folder) for folder in arguments[1::2]]
    for index, folder in enumerate(folders):
        for other in (*folders[:index], *folders[index + 1 :]):
            if folder.is_relative_to(other):
                raise RefusedError(f"folder: got {folder} in {other}; expected separate folders")
    return list(zip(arguments[::2], folders, strict=True))


def release_of(uri: str, releases: str, objects: Objects) -> Release:
    """Return the release of a URI, `RELEASES_URI/TEAM/MODEL/VERSION`. Raises RefusedError for any other.

    releases: RELEASES_URI. objects: its bucket.
    """
    path = uri.removeprefix(f"{releases}/")
    parts = path.split("/")
    # An import that is not promoted yet has one part more.
    if not releases or path == uri or len(parts) != 3:
        raise RefusedError(f"model: got {uri!r}; expected a release, {releases or '...'}/TEAM/MODEL/VERSION")
    return Release(objects, names.model("/".join(parts[:2])), names.version(parts[2]))


def load(release: Release, folder: Path) -> Manifest:
    """Copy the files of a release into a folder, and return its manifest. No file stays that is not that of
    the manifest, so that no server can start with it. It needs to read objects, not to list them.

    Raises VerificationError, which names every difference.
    """
    content = _manifest(release)
    folder.mkdir(parents=True, exist_ok=True)
    # Of an attempt that was interrupted, perhaps.
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or path.is_file():
            path.unlink()

    def copy(path: str) -> tuple[str, Entry | None]:
        try:
            return path, _copy(release, path, folder, content.files[path])
        except (FileNotFoundError, PermissionError):
            return path, None

    with ThreadPoolExecutor(_THREADS) as pool:
        copied = dict(pool.map(copy, content.files))
    actual = {path: entry for path, entry in copied.items() if entry is not None}
    try:
        manifest.compare(content.files, actual, str(release))
    except VerificationError:
        for path in content.files:
            (folder / path).unlink(missing_ok=True)
        raise
    return content


def _manifest(release: Release) -> Manifest:
    try:
        content = release.manifest()
    except PermissionError as error:
        raise VerificationError(
            f"{release}: no manifest, or none that this identity may read; expected a finished release "
            f"of its team ({error})"
        ) from error
    if content is None:
        raise VerificationError(f"{release}: no manifest; expected a finished release")
    return content


def _copy(release: Release, path: str, folder: Path, expected: Entry) -> Entry:
    """Write a file, and return size and digest of what was written. One that is larger than expected is cut
    off: it could fill the volume."""
    local = folder / names.file_path(path)
    local.parent.mkdir(parents=True, exist_ok=True)
    with local.open("wb") as file:

        def written() -> Iterator[bytes]:
            size = 0
            for chunk in release.chunks(path):
                yield chunk
                size += len(chunk)
                if size > expected.size:
                    return
                file.write(chunk)

        return manifest.digest_of(written())
