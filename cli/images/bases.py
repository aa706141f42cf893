"""The base of an image: the one of bases.toml that fits a pool, or the one that the user states."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from cli.output import CommandError

FILE: Final = Path(__file__).with_name("bases.toml")
_PINNED: Final = re.compile(
    r"(?P<name>(?:[a-z0-9.-]+\.[a-z]{2,}|localhost|127\.0\.0\.1)(?::\d+)?/[a-z0-9._/-]+)(?::[\w.-]{1,128})?"
    r"@sha256:[0-9a-f]{64}"
)


@dataclass(frozen=True)
class Hardware:
    """What a pool's nodes have."""

    kind: str = "cpu"
    """`cpu`, `nvidia`, `tpu` or `neuron`."""
    network: str = "none"
    """The network between accelerators: `none`, `efa`, `tcpx`, `tcpxo` or `rdma`."""
    architecture: str = "x86_64"
    """`x86_64` or `arm64`."""


@dataclass(frozen=True)
class Base:
    """An entry of bases.toml, which says what its keys mean."""

    repository: str
    tag: str
    source: str
    frameworks: tuple[str, ...]
    clouds: tuple[str, ...]
    hardware: tuple[str, ...]
    networks: tuple[str, ...]
    digest: str = ""
    digest_source: str = ""
    python: str = ""
    """The minor version of its Python, `3.12`; empty where it is not known."""
    packages: Mapping[str, str] = field(default_factory=dict[str, str])
    dependencies: tuple[str, ...] = ()
    """`with` in the file."""

    @property
    def reference(self) -> str:
        """`repository:tag@sha256:...`; without a digest where none is recorded."""
        return f"{self.repository}:{self.tag}{f'@{self.digest}' if self.digest else ''}"


@cache
def bases() -> Mapping[str, Base]:
    """Return the entries of bases.toml by name, in its order."""
    return dict(_parsed(FILE.read_text()))


def _parsed(text: str) -> Iterator[tuple[str, Base]]:
    for name, entry in tomllib.loads(text).items():
        lists = {key: tuple(entry.pop(key)) for key in ("frameworks", "clouds", "hardware", "networks")}
        yield name, Base(**lists, dependencies=tuple(entry.pop("with", ())), **entry)


def choose(framework: str, cloud: str, hardware: Hardware, stated: str = "") -> tuple[str, Base]:
    """Return the reference to build on, with its digest, and the entry that says what it has installed.

    stated: the reference that the user states instead, with a digest. It is expected to have the packages of
    the entry that fits, in versions that are not known, as that of its Python; none where no entry fits.
    Raises CommandError where no base fits, or the one that does has no recorded digest.
    """
    if stated and not _PINNED.fullmatch(stated):
        raise CommandError(f"--base: {stated!r} has no digest; expected REGISTRY/NAME[:TAG]@sha256:DIGEST")
    for base in bases().values():
        fits = (
            framework in base.frameworks
            and cloud in base.clouds
            and hardware.kind in base.hardware
            and hardware.network in base.networks
        )
        if fits and stated:
            return stated, replace(base, python="", packages=dict.fromkeys(base.packages, ""))
        if fits and base.digest:
            return base.reference, base
        if fits:
            raise CommandError(
                f"{FILE.name}: no digest is recorded for {base.reference}; expected --base "
                f"{base.repository}:{base.tag}@sha256:DIGEST, or record it: python -m tools.image_digests"
            )
    if stated:
        return stated, Base(stated, "", "the user", (framework,), (cloud,), (hardware.kind,), ())
    raise CommandError(
        f"{FILE.name}: no base has {framework!r} on {cloud} for {hardware.kind} nodes with the network "
        f"{hardware.network!r}; expected one of {_known(cloud)}"
    )


def _known(cloud: str) -> str:
    entries = [
        f"{framework} for {kind} ({', '.join(base.networks)})"
        for base in bases().values()
        if cloud in base.clouds
        for framework in base.frameworks
        for kind in base.hardware
    ]
    return "; ".join(entries)
