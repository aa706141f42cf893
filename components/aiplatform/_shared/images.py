"""The container images that components run, and mirrors to pull them from."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

from pulumi import Input

from aiplatform._shared.args import matches

_HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d+)?"
_REGISTRY: Final = re.compile(rf"{_HOST}(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")

TAG_OR_DIGEST: Final = matches(
    r"[^\s:]+(:\d+/[^\s:]+)?(:[\w.-]+|@sha256:[0-9a-f]{64})+", "an image with its tag or digest"
)
"""An image whose version is stated."""


@dataclass(frozen=True)
class Image:
    """An image of `images.toml`."""

    repository: str
    """The repository with its registry: `quay.io/feastdev/feature-server`."""
    tag: str
    source: str
    """Source of the tag."""
    digest: str = ""
    """`sha256:...` of its index; empty where no digest is known."""
    digest_source: str = ""
    """Source of the digest."""
    cuda: str = ""
    """The version of CUDA of its programs; empty where it has none."""

    @property
    def version(self) -> str:
        """Tag and digest as a suffix of the repository: `:0.67.0@sha256:...`."""
        return f":{self.tag}@{self.digest}" if self.digest else f":{self.tag}"

    @property
    def reference(self) -> str:
        """`repository:tag@digest`, or `repository:tag` where no digest is known."""
        return self.repository + self.version


@cache
def images() -> Mapping[str, Image]:
    """Return the images of `images.toml` by name."""
    text = files("aiplatform").joinpath("images.toml").read_text()
    return {name: Image(**entry) for name, entry in tomllib.loads(text).items()}


def mirrors(value: Mapping[str, Input[str]]) -> str | None:
    """A rule for `mirrors`: upstream's registry, or a repository in it -> the registry or repository to pull
    from instead."""
    for upstream, mirror in value.items():
        for text in (upstream, mirror):
            if isinstance(text, str) and not _REGISTRY.fullmatch(text):
                return (
                    f"{text!r} is no registry; expected a host with or without a path, without scheme and "
                    "tag, such as registry.k8s.io, or 111122223333.dkr.ecr.us-west-2.amazonaws.com/k8s"
                )
    return None


Mirrors = Input[Annotated[dict[str, Input[str]], mirrors]]
"""The argument `mirrors` of components that run images."""


def mirrored(image: str, mirrors: Mapping[str, str]) -> str:
    """Return the image at its mirror, or unchanged where it has none; tag and digest are kept. The longest
    matching upstream applies, so that a repository can have another mirror than the rest of its registry."""
    fitting = [
        upstream for upstream in mirrors if image.startswith(tuple(f"{upstream}{end}" for end in "/:@"))
    ]
    if not fitting:
        return image
    upstream = max(fitting, key=len)
    return mirrors[upstream] + image[len(upstream) :]


def registry(image: str) -> str:
    """Return the registry of an image: `registry.k8s.io`."""
    return image.partition("/")[0]
