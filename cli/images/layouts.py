"""An OCI image layout on this machine: a folder or a tar archive with an index and blobs.

OCI Image Format Specification, "OCI Image Layout Specification".
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

from cli.images.registry import INDEXES, MANIFESTS, Manifest, digest_of
from cli.output import CommandError

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_CHUNK: Final = 1 << 20


class Layout:
    """A layout with one image, for one or several platforms."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        index = self._json("index.json")
        self._json("oci-layout")
        entries: list[dict[str, Any]] = index.get("manifests", [])
        digests = {str(entry.get("digest")): str(entry.get("mediaType", "")) for entry in entries}
        if len(digests) != 1:
            raise CommandError(f"{folder}: has {len(digests)} images; expected a layout with one")
        [(digest, kind)] = digests.items()
        self.manifest = self.manifest_of(digest, kind)
        """The image: its index where it has several platforms."""

    def manifest_of(self, digest: str, kind: str) -> Manifest:
        """Return a manifest or an index by its digest. kind: its media type."""
        if kind not in (*INDEXES, *MANIFESTS):
            raise CommandError(
                f"{self.folder}: {digest}: is {kind!r}; expected an image or an index of images"
            )
        content = self.blob(digest).read_bytes()
        if digest_of(content) != digest:
            raise CommandError(f"{self.folder}: {digest}: its content has {digest_of(content)}")
        return Manifest(kind, content)

    def blob(self, digest: str) -> Path:
        """Return the file of a blob. Raises CommandError where the layout lacks it."""
        if not _DIGEST.fullmatch(digest):
            raise CommandError(f"{self.folder}: {digest!r} is no digest; expected sha256:...")
        file = self.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")
        if not file.is_file():
            raise CommandError(f"{self.folder}: {digest}: missing; expected all blobs of the image")
        return file

    @contextmanager
    def opened(self, digest: str) -> Iterator[BinaryIO]:
        """Yield a blob's content, whose digest was compared."""
        file, computed = self.blob(digest), hashlib.sha256()
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                computed.update(chunk)
            if f"sha256:{computed.hexdigest()}" != digest:
                raise CommandError(f"{file}: its content has sha256:{computed.hexdigest()}")
            content.seek(0)
            yield content

    def _json(self, name: str) -> dict[str, Any]:
        file = self.folder / name
        try:
            return json.loads(file.read_text())
        except FileNotFoundError as error:
            raise CommandError(f"{file}: missing; expected an OCI image layout") from error
        except ValueError as error:
            raise CommandError(f"{file}: {error}; expected JSON") from error


@contextmanager
def layout_at(path: Path) -> Iterator[Layout]:
    """Yield the layout in a folder or a tar archive, as `docker buildx build --output type=oci` writes it."""
    if path.is_dir():
        yield Layout(path)
        return
    if not path.is_file():
        raise CommandError(f"{path}: no such file; expected an OCI image layout, a folder or a tar archive")
    with TemporaryDirectory() as folder:
        try:
            with tarfile.open(path) as archive:
                # `data` refuses what leads out of the folder.
                archive.extractall(folder, filter="data")
        except tarfile.TarError as error:
            raise CommandError(f"{path}: {error}; expected an OCI image layout as a tar archive") from error
        yield Layout(Path(folder))
