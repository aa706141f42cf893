"""Build a definition by the builder of this machine: docker buildx, podman or buildah."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cli.images.containerfile import Definition
from cli.output import CommandError

BUILDERS: Final = ("docker", "buildah", "podman")
"""In the order in which they are preferred."""
_PLATFORMS: Final[Mapping[str, str]] = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


def builder() -> str:
    """Return the first builder on PATH that works. Raises CommandError where there is none."""
    for name in BUILDERS:
        if shutil.which(name) and (name != "docker" or _succeeds(["docker", "buildx", "version"])):
            return name
    raise CommandError(
        "no builder is on PATH; expected docker with buildx, buildah or podman; the definition is written: "
        "build it where there is one, and push the result by `aiplatform image push`"
    )


def build(name: str, definition: Definition, architecture: str, seconds: int, to: Path) -> None:
    """Build a definition into an OCI layout. name: of the builder. seconds: Unix time that all files get, so
    that equal contents have equal layers. to: the layout, a tar archive. Raises CommandError where the build
    fails; the builder's output goes to stderr."""
    for command in _commands(name, definition, _PLATFORMS[architecture], seconds, to):
        # Passwords and the like are no arguments of a builder; it pulls the base by its own login.
        variables = {**os.environ, "SOURCE_DATE_EPOCH": str(seconds)}
        if subprocess.run(command, env=variables, stdout=2, check=False).returncode != 0:
            hint = (
                "; a builder of the driver docker writes no OCI layout: `docker buildx create --use`"
                if name == "docker"
                else ""
            )
            raise CommandError(f"{' '.join(command[:3])} failed; see above{hint}")


def _commands(
    name: str, definition: Definition, platform: str, seconds: int, to: Path
) -> Sequence[Sequence[str]]:
    inputs = ["--file", str(definition.containerfile), "--platform", platform]
    context = str(definition.context)
    if name == "docker":
        # With an attestation the digest would differ from build to build, as it has the time.
        output = f"type=oci,dest={to},rewrite-timestamp=true"
        plain = ["--provenance=false", "--sbom=false"]
        return [["docker", "buildx", "build", *inputs, *plain, "--output", output, context]]
    image = f"localhost/aiplatform-image:{definition.digest[:12]}"
    times = ["--timestamp", str(seconds)]
    return [
        [name, "build", *inputs, "--format", "oci", *times, "--tag", image, context],
        [name, "push", image, f"oci-archive:{to}"],
    ]


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
