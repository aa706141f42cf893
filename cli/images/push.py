"""Push an OCI image layout: what the registry has is not sent again, and no tag gets another image."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cli.images.layouts import Layout
from cli.images.registry import Manifest, Registry, RegistryError, UnavailableError
from cli.output import CommandError, note

_REFERENCE: Final = re.compile(
    r"(?P<host>[a-z0-9][a-z0-9.-]*(?::\d+)?)/(?P<repository>[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*):(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})"
)
"""OCI Distribution Specification, "Pulling manifests"."""
ATTEMPTS: Final = 5
_SECONDS: Final = 2.0
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Destination:
    """Where an image goes: `HOST/REPOSITORY:TAG`."""

    host: str
    repository: str
    tag: str

    @property
    def name(self) -> str:
        """`HOST/REPOSITORY:TAG`."""
        return f"{self.host}/{self.repository}:{self.tag}"


def destination(text: str) -> Destination:
    """Return a destination. Raises CommandError for what a registry or the guardrails refuse."""
    matched = _REFERENCE.fullmatch(text)
    if matched is None:
        raise CommandError(
            f"{text!r} is no name of an image; expected HOST/REPOSITORY:TAG, the repository in lower case; "
            "an image without a tag is deleted after `untagged_days`"
        )
    if matched["tag"] == "latest":
        raise CommandError(f"{text!r}: the tag latest is refused in the cluster; expected another tag")
    return Destination(**matched.groupdict())


def push(
    layout: Layout, to: Destination, registry: Registry, sleep: Callable[[float], None] = time.sleep
) -> str:
    """Push an image and return its digest. An interrupted push continues with the blobs that are missing.

    Each blob is sent in one request: ECR and Artifact Registry accept chunks of different sizes only. It is
    repeated where the registry is not available. Raises RegistryError where it refuses, and where the tag has
    another image: a tag refers to the same image permanently.
    """
    digest = layout.manifest.digest
    current = registry.digest_of_tag(to.repository, to.tag)
    if current == digest:
        note(f"{to.name} is there")
        return digest
    if current is not None:
        raise RegistryError(f"{to.name} has {current}; expected another tag: a tag keeps its image")
    _push(layout, layout.manifest, to, registry, sleep)
    _repeated(lambda: registry.push_manifest(to.repository, to.tag, layout.manifest), sleep)
    return digest


def _push(
    layout: Layout, manifest: Manifest, to: Destination, registry: Registry, sleep: Callable[[float], None]
) -> None:
    for entry in manifest.document.get("manifests", []):
        platform = layout.manifest_of(str(entry["digest"]), str(entry.get("mediaType", "")))
        _push(layout, platform, to, registry, sleep)
        _repeated(
            lambda platform=platform: registry.push_manifest(to.repository, platform.digest, platform), sleep
        )
    for digest, size in dict(manifest.blobs).items():
        _repeated(lambda digest=digest, size=size: _push_blob(layout, digest, size, to, registry), sleep)


def _push_blob(layout: Layout, digest: str, size: int, to: Destination, registry: Registry) -> None:
    if registry.has_blob(to.repository, digest):
        return
    with layout.opened(digest) as content:
        registry.push_blob(to.repository, digest, content)
    note(f"{digest}: {round(size / _MIB, 1)} MiB")


def _repeated(send: Callable[[], None], sleep: Callable[[float], None]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            send()
        except UnavailableError as error:
            if attempt == ATTEMPTS:
                raise
            note(f"{error}; trying again")
            sleep(_SECONDS * 2 ** (attempt - 1))
        else:
            return
