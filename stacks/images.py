"""Container images that the program deploys in an environment, and where its nodes pull them from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from aiplatform._shared.images import images, mirrored
from aiplatform.addons.catalog import catalog, selected
from aiplatform.addons.permissions.settings import KARPENTER
from aiplatform.feature_store.args import IMAGE as FEATURE_STORE
from aiplatform.model_registry.args import IMAGE as MODEL_REGISTRY
from stacks.settings import Settings
from stacks.settings.generated import stated


def of_workloads(settings: Settings) -> Mapping[str, str]:
    """Return workload of the platform -> its image: the file's, or upstream's, not that of a mirror."""
    return {**_of_components(settings), **_of_addons(settings)}


def _of_components(settings: Settings) -> dict[str, str]:
    topics = (
        ("the feature store", settings.feature_store, FEATURE_STORE),
        ("the model registry", settings.model_registry, MODEL_REGISTRY),
    )
    return {name: stated(topic).get("image") or image for name, topic, image in topics if topic is not None}


def repositories(settings: Settings) -> dict[str, bool]:
    """Return repository, at its mirror if it has one, -> whether the image has a digest, of workloads outside
    the namespaces of add-ons."""
    known: dict[str, bool] = {}
    for image in _of_components(settings).values():
        name, at, _ = mirrored(image, settings.images.mirrors).partition("@")
        head, slash, last = name.rpartition("/")
        known[f"{head}{slash}{last.partition(':')[0]}"] = bool(at)
    return known


def addons_of(settings: Settings) -> list[str]:
    """Return the names of the add-ons that an environment has."""
    topic = settings.addons
    if topic is None:
        return []
    enabled = {name: option.enabled for name, option in topic.options.items()}
    if settings.karpenter_pools and enabled.get(KARPENTER) is None:
        enabled[KARPENTER] = True
    return selected(settings.environment.cloud, enabled, has_zones=bool(topic.dns_zones))


def _of_addons(settings: Settings) -> dict[str, str]:
    """Return `the add-on kueue (kueue)` -> its image, of the add-ons that are installed."""
    return {
        f"the add-on {name} ({image})": images()[image].reference
        for name in addons_of(settings)
        for image in catalog()[name].images
    }


def admitted(settings: Settings, patterns: Iterable[str]) -> list[str]:
    """Return patterns of Binary Authorization: these, and one for each image of the platform that they do not
    match, as the cluster would refuse it. Such a pattern is the image itself, without a wildcard."""
    complete = list(patterns)
    for image in of_workloads(settings).values():
        names = _names(mirrored(image, settings.images.mirrors))
        complete += [name for name in names if not _fits(name, complete)]
    return complete


def _names(image: str) -> Iterator[str]:
    """Yield an image as its Pod names it, and without its tag where a digest decides instead."""
    yield image
    name, at, digest = image.partition("@")
    repository, colon, _ = name.rpartition(":")
    if at and colon and "/" in repository:
        yield f"{repository}@{digest}"


def _fits(image: str, patterns: Iterable[str]) -> bool:
    """Return whether a pattern matches: a `*` at its end is any characters but `/`, `**` any (Binary
    Authorization API, AdmissionWhitelistPattern)."""
    for pattern in patterns:
        rest = image.removeprefix(pattern.rstrip("*"))
        if image == pattern or (rest != image and pattern.endswith("**" if "/" in rest else "*")):
            return True
    return False
