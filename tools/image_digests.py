"""Record the digest of every image of components/aiplatform/images.toml, and of every base of
cli/images/bases.toml, that has none; confirm the others.

    python3 bootstrap.py --development --run python -m tools.image_digests           # write what is missing
    python3 bootstrap.py --development --run python -m tools.image_digests --check   # change nothing

Asks each image's registry for its tag, as a container runtime does (OCI Distribution Specification, "Pulling
manifests"; Docker Registry, "Token Authentication Specification"), without an account. ECR's private
registries, EKS's among them, need credentials of any AWS account, which boto3 looks for.

A digest that is recorded is never replaced: where the tag has another one now, that is reported. For a new
version write the tag and remove `digest` and `digest_source`. Exit codes: 0 when every image has the digest
of its tag; 1 when a digest differs, is missing (`--check`) or could not be read.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cli.images import registry
from cli.images.bases import FILE as BASES
from cli.images.registry import Credentials, RegistryError

IMAGES: Final = Path(__file__).resolve().parents[1] / "components" / "aiplatform" / "images.toml"
PLATFORM: Final = ("linux", "amd64")
"""What every index must have: the machines of all pools but CPU pools of Arm machines."""


class Registry(registry.Registry):
    """A registry, as a client that pulls sees it."""

    def digest(self, repository: str, tag: str) -> str:
        """Return the digest of a tag's index, or of its manifest where it has no index, computed from the
        content. Raises RegistryError."""
        manifest = self.manifest(repository, tag)
        if manifest.is_index:
            self._check_platforms(manifest.document)
        return manifest.digest

    @staticmethod
    def _check_platforms(index: Mapping[str, Any]) -> None:
        platforms = [entry.get("platform", {}) for entry in index.get("manifests", [])]
        if PLATFORM not in {(platform.get("os"), platform.get("architecture")) for platform in platforms}:
            raise RegistryError(f"its index has no image for {'/'.join(PLATFORM)}")


def recorded(text: str, name: str, digest: str, source: str) -> str:
    """The text of images.toml with the digest of one image, which has none."""
    table = re.compile(rf"^\[{re.escape(name)}\]\n(?:[^\[\n].*\n)*", re.MULTILINE)
    matched = table.search(text)
    if matched is None:
        raise RegistryError(f"images.toml has no table [{name}] of plain lines")
    lines = f'digest = "{digest}"\ndigest_source = "{source}"\n'
    return text[: matched.end()] + lines + text[matched.end() :]


def update(file: Path, *, write: bool, credentials: Credentials = registry.credentials) -> Iterator[str]:
    """Ask the registries of all images, record missing digests in the file (`write`), and report what is not
    as it should be."""
    text = file.read_text()
    for name, image in tomllib.loads(text).items():
        host, _, repository = image["repository"].partition("/")
        known = image.get("digest")
        try:
            digest = Registry(host, credentials).digest(repository, image["tag"])
        except RegistryError as error:
            yield f"{name}: {image['repository']}:{image['tag']}: {error}"
            continue
        if known is None and write:
            source = f"the registry, {datetime.now(UTC):%Y-%m-%d}"
            text = recorded(text, name, digest, source)
            file.write_text(text)
        elif known is None:
            yield f"{name}: no digest is recorded; the tag {image['tag']} has {digest}"
        elif known != digest:
            yield f"{name}: recorded {known}, and the tag {image['tag']} has {digest} now"


def main(arguments: list[str], *files: Path) -> int:
    """The exit code. files: by default those of the project."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.image_digests", description="Record the digests of images."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; report what is missing or differs"
    )
    check = parser.parse_args(arguments).check
    problems = [problem for file in files or (IMAGES, BASES) for problem in update(file, write=not check)]
    sys.stderr.writelines(f"error: {problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
