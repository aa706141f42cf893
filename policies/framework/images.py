"""References to container images, `registry/repository:tag@digest`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DOCKER_HUB: Final = "docker.io"


@dataclass(frozen=True)
class Image:
    """The parts of an image reference."""

    registry: str
    """Its registry; Docker Hub where the reference names none."""
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def location(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}"


def parse(reference: str) -> Image:
    """Parse a reference, as container runtimes do."""
    name, _, digest = reference.partition("@")
    head, slash, rest = name.partition("/")
    # The first part is a host only if it looks like one: `library/nginx` is not.
    if slash and ("." in head or ":" in head or head == "localhost"):
        registry, path = head, rest
    else:
        registry, path = DOCKER_HUB, name
    path, _, tag = path.partition(":")
    return Image(registry, path, tag, digest)
