"""Mirrors of registries: each has an effect."""

from __future__ import annotations

from collections.abc import Iterator

from aiplatform._shared.args import Problem
from aiplatform._shared.images import images, mirrored
from stacks import images as deployed
from stacks.settings import Settings
from stacks.suggestions import nearest
from stacks.validation import private_network


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the upstreams from which no image of the platform comes. Whether the environment has it is not
    asked, so that environments can share their mirrors."""
    if not settings.images.mirrors:
        return
    known = {image.reference for image in images().values()}
    known |= {*private_network.upstream_images(settings).values(), *deployed.of_users(settings).values()}
    registries = sorted({image.repository.partition("/")[0] for image in images().values()})
    for upstream in settings.images.mirrors:
        if not any(mirrored(image, {upstream: "mirror"}) != image for image in known):
            yield Problem(
                f"images.mirrors.{upstream}",
                "without effect, since no image of the platform comes from it"
                f"{nearest(upstream, registries)}",
            )
