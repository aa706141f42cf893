"""Built tools as one archive: made on one machine, unpacked on others in place of a build.

AIPLATFORM_TOOLCHAIN names the archive: a path, or an https address that ends in `#sha256=DIGEST`. A tool in
it is used where it is the one that this checkout would build on this machine: its folder's name has the
version, the recipe and the machine. What the archive lacks is built.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urldefrag, urlsplit

from twin.toolchain.cache import Cache
from twin.toolchain.errors import ToolchainError
from twin.toolchain.progress import Progress, Step

VARIABLE: Final = "AIPLATFORM_TOOLCHAIN"
_FRAGMENT: Final = re.compile(r"sha256=([0-9a-f]{64})")
_SECONDS: Final = 60
_CHUNK: Final = 1 << 20
_FORM: Final = "a path, or https://HOST/PATH#sha256=DIGEST with 64 hexadecimal digits"


@dataclass(frozen=True)
class Archive:
    """Where an archive is. sha256: the digest that it must have; None for a path without one."""

    address: str
    sha256: str | None

    @property
    def is_remote(self) -> bool:
        """Whether it has to be fetched."""
        return self.address.startswith("https://")


@dataclass(frozen=True)
class Packed:
    """An archive that was written. tools: the names of the folders in it."""

    path: Path
    sha256: str
    tools: Sequence[str]


def named(environment: Mapping[str, str] | None = None) -> Archive | None:
    """Return the archive that AIPLATFORM_TOOLCHAIN names; None without one. Raises ToolchainError."""
    value = (os.environ if environment is None else environment).get(VARIABLE, "").strip()
    if not value:
        return None
    address, fragment = urldefrag(value) if "#sha256=" in value or "://" in value else (value, "")
    digest = _FRAGMENT.fullmatch(fragment)
    if fragment and digest is None:
        raise _invalid(f"{value!r} ends in {fragment!r}")
    scheme = urlsplit(address).scheme if "://" in address else ""
    if scheme not in ("", "https"):
        raise _invalid(f"{value!r} begins with {scheme}://")
    if scheme and digest is None:
        raise _invalid(f"{value!r} has no digest, so that its content could not be checked")
    if not scheme:
        address = str(Path(address).expanduser().absolute())
    return Archive(address, digest[1] if digest else None)


def pack(file: Path, folders: Sequence[str], cache: Cache) -> Packed:
    """Write an archive of folders of the cache's tools, and its digest next to it in FILE.sha256.

    folders: names below `tools`. Raises ToolchainError where one is not there, or the file cannot be written.
    """
    missing = [folder for folder in folders if not (cache.tools / folder).is_dir()]
    if missing:
        raise ToolchainError(
            f"Not built: {', '.join(missing)}.",
            advice="build the tools first, with `aiplatform doctor --build`.",
        )
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with tarfile.open(unfinished, "w:gz", compresslevel=6) as archive:
            for folder in folders:
                archive.add(cache.tools / folder, folder, filter=_anonymous)
        digest = _digest(unfinished)
        unfinished.rename(file)
        file.with_name(f"{file.name}.sha256").write_text(f"{digest}  {file.name}\n", encoding="utf-8")
    except OSError as error:
        raise ToolchainError(
            f"{file} cannot be written: {error.strerror}", advice="name a file in a folder with free space."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return Packed(file, digest, tuple(folders))


def unpack(wanted: Mapping[str, str], cache: Cache, progress: Progress) -> None:
    """Install those tools that the archive of AIPLATFORM_TOOLCHAIN has; without the variable do nothing.

    wanted: folder below `tools` -> name of the tool. The folders that are there already are left alone.
    Raises ToolchainError where the archive is not there, is damaged, or has another digest.
    """

    def missing() -> list[str]:
        return [folder for folder in wanted if not (cache.tools / folder).is_dir()]

    archive = named()
    if archive is None or not missing():
        return
    with (
        progress.step("Archive of the toolchain") as step,
        cache.locked("the archive's tools", step, lambda: not missing()) as locked,
    ):
        if not locked:
            return
        with cache.temporary("archive") as folder, _local(archive, folder, step) as file:
            step.update(f"unpacking {archive.address}")
            unpacked = _unpacked(file, missing(), folder, archive)
            for name in unpacked:
                cache.install(folder / name, wanted[name], name)
    built = missing()
    if built:
        names = ", ".join(wanted[folder] for folder in built)
        progress.say(f"{archive.address} has no {names} of this version for this machine, which is built.")


def _unpacked(file: Path, wanted: Sequence[str], into: Path, archive: Archive) -> list[str]:
    try:
        with tarfile.open(file, "r:gz") as packed:
            members = [member for member in packed if member.name.partition("/")[0] in wanted]
            # The filter refuses what would be written outside the folder, devices, and links out of it.
            packed.extractall(into, members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ToolchainError(
            f"{archive.address} cannot be unpacked: {error}",
            advice=f"write or fetch it again, or build the tools: unset {VARIABLE}.",
        ) from error
    return [folder for folder in wanted if (into / folder).is_dir()]


@contextlib.contextmanager
def _local(archive: Archive, folder: Path, step: Step) -> Iterator[Path]:
    """Give the file, whose digest is checked."""
    file = _fetched(archive.address, folder, step) if archive.is_remote else Path(archive.address)
    if not file.is_file():
        raise ToolchainError(
            f"{VARIABLE} names {file}, which is no file.", advice=f"name {_FORM}, or unset the variable."
        )
    if archive.sha256 is not None:
        digest = _digest(file)
        if digest != archive.sha256:
            raise ToolchainError(
                f"{archive.address} has the SHA-256 digest {digest}, expected {archive.sha256}.",
                advice="do not use this file. Fetch it again, or ask who published it for its digest.",
            )
    yield file


def _fetched(address: str, folder: Path, step: Step) -> Path:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    file = folder / "fetched"
    retries = Retry(total=4, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504))
    try:
        with requests.Session() as session:
            session.mount("https://", HTTPAdapter(max_retries=retries))
            with session.get(address, stream=True, timeout=_SECONDS) as answer, file.open("wb") as target:
                answer.raise_for_status()
                total = int(answer.headers.get("Content-Length", 0))
                for chunk in answer.iter_content(_CHUNK):
                    target.write(chunk)
                    step.update(f"fetching {address}: {target.tell() >> 20} of {total >> 20 or '?'} MiB")
    except requests.RequestException as error:
        raise ToolchainError(
            f"{address} cannot be fetched: {error}",
            advice=f"check the address and the network, or build the tools: unset {VARIABLE}.",
        ) from error
    return file


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _invalid(problem: str) -> ToolchainError:
    return ToolchainError(f"{VARIABLE}: {problem}; expected {_FORM}.", advice="correct it, or unset it.")
