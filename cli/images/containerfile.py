"""The definition of an image: its Containerfile, and what the builder reads next to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cli.images import files, locks
from cli.images.revision import Revision

CONTAINERFILE: Final = "Containerfile"
CONTEXT: Final = "context"
SOURCES: Final = "app"
REQUIREMENT: Final = "uv.txt"
USER: Final = 1000
"""User and group of the container: not root, as the Pod Security level `restricted` requires."""
_ENVIRONMENT: Final = "/opt/venv"
_PREFIX: Final = "org.opencontainers.image"
_ACCOUNT: Final = f"app:x:{USER}:{USER}::/var/lib/app:/bin/sh"
_OF_UV: Final = {
    "UV_PROJECT_ENVIRONMENT": _ENVIRONMENT,
    # The base's Python, for which its packages are built.
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_LINK_MODE": "copy",
    "PATH": "/opt/uv/bin:$PATH",
}
_VARIABLES: Final = {
    # torch and getpass look for a home and a name, which the user of a Pod may lack.
    "HOME": "/var/lib/app",
    "USER": "app",
    "VIRTUAL_ENV": _ENVIRONMENT,
    "PATH": f"{_ENVIRONMENT}/bin:$PATH",
    # torchrun of the base starts its processes by this Python, and else by that of the base, which does not
    # see the environment (torch/distributed/run.py).
    "PYTHON_EXEC": f"{_ENVIRONMENT}/bin/python",
    "PYTHONPATH": "/app",
    "PYTHONUNBUFFERED": "1",
    # /app is read-only for the user.
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True)
class Contents:
    """What an image is made of."""

    folder: Path
    files: Sequence[Path]
    base: str
    """The reference of the base, with its digest."""
    with_packages_of_base: bool
    """Whether the base has Python packages that the program imports."""
    installed: Sequence[str]
    """Locked packages that the base has, which are not installed again."""
    entrypoint: Sequence[str]
    title: str
    uv: str
    """A requirements file that names uv with the hashes of its archives."""


@dataclass(frozen=True)
class Definition:
    """A definition that was written."""

    folder: Path
    digest: str
    """Of all that the builder reads but the commit: equal contents have equal digests. 64 hexadecimal
    digits."""

    @property
    def containerfile(self) -> Path:
        """The Containerfile."""
        return self.folder / CONTAINERFILE

    @property
    def context(self) -> Path:
        """The only folder that the builder reads."""
        return self.folder / CONTEXT


def write(contents: Contents, revision: Revision, to: Path) -> Definition:
    """Write the definition into an empty folder. The same contents and commit give the same bytes."""
    context = to / CONTEXT
    (context / SOURCES).mkdir(parents=True)
    files.copy(contents.folder, list(contents.files), context / SOURCES)
    (context / REQUIREMENT).write_text(contents.uv)
    # For a builder that is run by hand: nothing else of this folder gets into a layer.
    (context / ".dockerignore").write_text(f"*\n!{SOURCES}/**\n!{REQUIREMENT}\n")
    recipe = to / CONTAINERFILE
    recipe.write_text(_text(contents, {}))
    definition = Definition(to, files.digest_of(to))
    recipe.write_text(_text(contents, _labels(contents, revision)))
    return definition


def _labels(contents: Contents, revision: Revision) -> Mapping[str, str]:
    name, _, digest = contents.base.partition("@")
    labels = {
        f"{_PREFIX}.title": contents.title,
        f"{_PREFIX}.revision": f"{revision.commit}-dirty" if revision.dirty else revision.commit,
        f"{_PREFIX}.created": datetime.fromtimestamp(revision.seconds, UTC).isoformat(),
        f"{_PREFIX}.base.name": name,
        f"{_PREFIX}.base.digest": digest,
    }
    return labels | ({f"{_PREFIX}.source": revision.source} if revision.source else {})


def _text(contents: Contents, labels: Mapping[str, str]) -> str:
    sync = ["uv", "sync", "--locked", "--no-default-groups", "--no-cache", "--no-editable"]
    sync += [word for name in contents.installed for word in ("--no-install-package", name)]
    packaged = locks.is_package(contents.folder)
    # What the lock states comes before what the base has.
    environment = (
        f"python3 -m venv {'--system-site-packages ' if contents.with_packages_of_base else ''}--without-pip"
    )
    lines = [
        "# Written by `aiplatform image build`.",
        f"FROM {contents.base} AS packages",
        "USER root",
        f"COPY {REQUIREMENT} /tmp/{REQUIREMENT}",
        "RUN python3 -m venv /opt/uv \\",
        f" && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r /tmp/{REQUIREMENT}",
        f"RUN {environment} {_ENVIRONMENT}",
        f"ENV {' '.join(f'{name}={value}' for name, value in _OF_UV.items())}",
        "WORKDIR /app",
        f"COPY {SOURCES}/{locks.PROJECT} {SOURCES}/{locks.LOCK} ./",
        f"RUN {' '.join([*sync, '--no-install-project'])}",
        *((f"COPY {SOURCES}/ ./", f"RUN {' '.join(sync)}") if packaged else ()),
        "",
        f"FROM {contents.base}",
        "USER root",
        f"RUN (getent passwd {USER} > /dev/null || echo '{_ACCOUNT}' >> /etc/passwd) \\",
        f" && install -d -o {USER} -g {USER} /var/lib/app",
        f"COPY --from=packages {_ENVIRONMENT} {_ENVIRONMENT}",
        "WORKDIR /app",
        f"COPY {SOURCES}/ ./",
        f"ENV {' '.join(f'{name}={value}' for name, value in _VARIABLES.items())}",
        *(f"LABEL {name}={json.dumps(value).replace('$', chr(92) + '$')}" for name, value in labels.items()),
        f"USER {USER}:{USER}",
        # A base may have commands that the entrypoint would get as arguments.
        "CMD []",
        f"ENTRYPOINT {json.dumps(list(contents.entrypoint))}",
    ]
    return "\n".join(lines) + "\n"
