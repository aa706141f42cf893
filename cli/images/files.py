"""The files of an image: those that git tracks in a folder, checked, and copied for a builder."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from cli.images.revision import tracked
from cli.output import CommandError

_CREDENTIAL_FILES: Final = (
    *(".env", ".env.*", ".netrc", ".pypirc", ".npmrc", ".git-credentials", ".dockercfg", ".pgpass"),
    *(
        "*.pem",
        "*.p12",
        "*.pfx",
        "*.key",
        "*.jks",
        "*.keystore",
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
    ),
    *("kubeconfig", "*.kubeconfig", "credentials", "application_default_credentials.json"),
    *("*service-account*.json", "*service_account*.json", "terraform.tfstate", "*.tfvars"),
)
"""Names of files that contain credentials."""
_EXAMPLES: Final = (".env.example", ".env.sample", ".env.template")
_CREDENTIAL_FOLDERS: Final = frozenset({".aws", ".docker", ".gnupg", ".kube", ".ssh"})
_CREDENTIALS: Final = {
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    "a key of AWS": re.compile(rb"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    "a token of GitHub": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{82})\b"),
    "a token of Hugging Face": re.compile(rb"\bhf_[A-Za-z0-9]{34}\b"),
    "a key of a Google API": re.compile(rb"\bAIza[A-Za-z0-9_-]{35}\b"),
}
_READ: Final = 4 << 20
"""Bytes of a file that are searched for credentials."""
_IGNORE: Final = ".dockerignore"


def files_of(folder: Path, *, untracked: bool) -> list[Path]:
    """Return the files of an image, relative to the folder, sorted. untracked: also those that git does not
    track and does not ignore. Raises CommandError where one must not be in an image."""
    paths = sorted(tracked(folder, untracked=untracked))
    problems = [f"{folder / path}: {problem}" for path in paths for problem in _problems(folder, path)]
    if problems:
        raise CommandError("\n".join(problems))
    return [path for path in paths if (folder / path).exists()]


def _problems(folder: Path, path: Path) -> Iterator[str]:
    file = folder / path
    if str(path) == _IGNORE:
        yield "is not read; expected none: an image has the files that git tracks in its folder"
    if file.is_symlink():
        target = file.resolve()
        if file.readlink().is_absolute() or not target.is_relative_to(folder.resolve()):
            yield f"links to {file.readlink()}; expected a relative link within the folder"
        elif not target.exists():
            yield f"links to {file.readlink()}, which does not exist"
        return
    if not file.exists():
        return
    if not stat.S_ISREG(file.stat().st_mode):
        # Git lists a submodule as one path.
        yield "is no regular file; expected files that git tracks here, no submodule"
        return
    kind = _credential(path, file)
    if kind:
        yield f"{kind}; expected none in an image: credentials come from the workload's identity or a Secret"


def _credential(path: Path, file: Path) -> str | None:
    if _CREDENTIAL_FOLDERS & set(path.parts[:-1]):
        return "is in a folder of credentials"
    name = path.name.lower()
    if name not in _EXAMPLES and any(fnmatch(name, pattern) for pattern in _CREDENTIAL_FILES):
        return "has the name of a file of credentials"
    with file.open("rb") as content:
        head = content.read(_READ)
    return next((f"contains {kind}" for kind, pattern in _CREDENTIALS.items() if pattern.search(head)), None)


def copy(folder: Path, paths: list[Path], to: Path) -> None:
    """Copy files, with modes that depend on nothing but whether they are executable."""
    for path in paths:
        source, target = folder / path, to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
            continue
        shutil.copyfile(source, target)
        target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)


def digest_of(folder: Path) -> str:
    """Return the digest of a folder: of the names, kinds and contents of its files. 64 hexadecimal digits."""
    computed = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_symlink():
            kind, content = "link", str(file.readlink()).encode()
        elif file.is_file():
            kind, content = ("program" if file.stat().st_mode & stat.S_IXUSR else "file"), file.read_bytes()
        else:
            continue
        name = file.relative_to(folder).as_posix()
        computed.update(f"{kind} {len(content)} {len(name)} {name}\n".encode() + content)
    return computed.hexdigest()
