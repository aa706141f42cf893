"""Pulumi's archives as zip files: the same bytes for the same content."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from twin.property_values import Archive, Asset

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16


def zipped(archive: Archive) -> bytes:
    """The zip file. A path to one is taken as it is. Raises ValueError for what is not on this machine."""
    path = Path(archive.path) if archive.path is not None else None
    if path is not None and path.is_file():
        if path.suffix not in (".zip", ".jar"):
            raise ValueError(f"archive {archive.path!r} is no zip file; use one, or a folder")
        return path.read_bytes()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target:
        for name, member in sorted(_files(archive, PurePosixPath())):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr, entry.compress_type = _MODE, zipfile.ZIP_DEFLATED
            target.writestr(entry, member)
    return content.getvalue()


def _files(source: Any, at: PurePosixPath) -> Iterator[tuple[str, bytes]]:
    if isinstance(source, Asset):
        yield str(at), source.read()
    elif isinstance(source, Archive) and source.path is not None:
        folder = Path(source.path)
        if folder.is_file():
            with zipfile.ZipFile(folder) as packed:
                yield from (
                    (str(at / name), packed.read(name)) for name in packed.namelist() if name[-1] != "/"
                )
            return
        if not folder.is_dir():
            raise ValueError(f"archive {source.path!r} is not there")
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                yield str(at / file.relative_to(folder).as_posix()), file.read_bytes()
    elif isinstance(source, Archive) and source.assets is not None:
        yield from _files(source.assets, at)
    elif isinstance(source, Mapping):
        for name, member in source.items():
            yield from _files(member, at / name)
    else:
        raise ValueError(f"archive {source!r} is remote; use files on this machine on the twin")
