"""Container images that the program installs in an environment, and where its nodes pull them from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from aiplatform._shared.images import mirrored
from aiplatform.feature_store.args import IMAGE as FEATURE_STORE
from aiplatform.model_registry.args import IMAGE as MODEL_REGISTRY
from stacks.settings import Settings
from stacks.settings.generated import stated


def of_workloads(settings: Settings) -> Mapping[str, str]:
    """What of the platform runs on either cloud -> its image: the file's, or upstream's, not its mirror."""
    topics = (
        ("the feature store", settings.feature_store, FEATURE_STORE),
        ("the model registry", settings.model_registry, MODEL_REGISTRY),
    )
    return {name: stated(topic).get("image") or image for name, topic, image in topics if topic is not None}


def admitted(settings: Settings, patterns: Iterable[str]) -> list[str]:
    """Patterns of Binary Authorization: the given ones, and one for each image of the platform that they do
    not match, as the cluster would refuse it. Such a pattern is the image itself, without a wildcard."""
    found = list(patterns)
    for image in of_workloads(settings).values():
        found += [each for each in _names(mirrored(image, settings.images.mirrors)) if not _fits(each, found)]
    return found


def _names(image: str) -> Iterator[str]:
    """An image as its Pod names it; with tag and digest also without the tag, which decides nothing then."""
    yield image
    name, at, digest = image.partition("@")
    repository, colon, _ = name.rpartition(":")
    if at and colon and "/" in repository:
        yield f"{repository}@{digest}"


def _fits(image: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern matches: a `*` at its end is any characters but `/`, `**` any (Binary Authorization
    API, AdmissionWhitelistPattern)."""
    for each in patterns:
        rest = image.removeprefix(each.rstrip("*"))
        if image == each or (rest != image and each.endswith("**" if "/" in rest else "*")):
            return True
    return False
