"""Where images come from: upstream's registries, or mirrors of them that the nodes can reach."""

import re
from collections.abc import Mapping
from typing import Final

_HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d+)?"
_PLACE: Final = re.compile(rf"{_HOST}(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")


def mirrors(value: Mapping[str, str]) -> str | None:
    """A rule for `mirrors`: upstream's registry, or a repository in it -> where it is had instead."""
    for upstream, place in value.items():
        for text in (upstream, place):
            if not _PLACE.fullmatch(text):
                return (
                    f"{text!r} is no registry: expected a host and perhaps a path, without scheme and tag, "
                    "such as registry.k8s.io, or 111122223333.dkr.ecr.us-west-2.amazonaws.com/k8s"
                )
    return None


def mirrored(image: str, places: Mapping[str, str]) -> str:
    """The image at its mirror, or as it is where none is given. The longest upstream that fits decides, so
    one repository may have a place of its own beside the rest of its registry."""
    fitting = [upstream for upstream in places if image.startswith((f"{upstream}/", f"{upstream}:"))]
    if not fitting:
        return image
    upstream = max(fitting, key=len)
    return places[upstream] + image[len(upstream) :]


def registry(image: str) -> str:
    """The registry of an image: `registry.k8s.io`."""
    return image.partition("/")[0]
