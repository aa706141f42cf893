"""Container images that the program deploys in an environment, and where its nodes pull them from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from aiplatform._shared.images import images, mirrored
from aiplatform.accelerators.gcp import MACHINES
from aiplatform.addons.catalog import catalog, selected
from aiplatform.addons.permissions.settings import KARPENTER
from aiplatform.feature_store.args import IMAGE as FEATURE_STORE
from aiplatform.model_registry.args import IMAGE as MODEL_REGISTRY
from aiplatform.observability.args import CHART as OBSERVABILITY
from aiplatform.observability.args import GOOGLE_PROMETHEUS
from stacks.settings import Settings
from stacks.settings.generated import stated


def of_workloads(settings: Settings) -> Mapping[str, str]:
    """Return workload of the platform -> its image: the file's, or upstream's, not that of a mirror."""
    return {
        **_of_components(settings),
        **{f"the {name} of GPUDirect": image for name, image in _of_gpudirect(settings).items()},
        **_of_addons(settings),
        **_of_observability(settings),
    }


def _of_components(settings: Settings) -> dict[str, str]:
    topics = (
        ("the feature store", settings.feature_store, FEATURE_STORE),
        ("the model registry", settings.model_registry, MODEL_REGISTRY),
    )
    return {name: stated(topic).get("image") or image for name, topic, image in topics if topic is not None}


def _of_gpudirect(settings: Settings) -> dict[str, str]:
    """Return the images that a pool with GPUDirect runs on its nodes, and those of its Pods' sidecars."""
    if settings.environment.cloud != "gcp":
        return {}
    known = images()
    required: dict[str, str] = {}
    for pool in settings.gpu_pools.values():
        arguments = stated(pool)
        fabric = _fabric(pool.accelerator, pool.count)
        if fabric is None or arguments.get("gpudirect") is False:
            continue
        names = [f"gpudirect-{fabric}-daemon"] if fabric != "rdma" else []
        if arguments.get("gpudirect_installers") is not False:
            names.append(f"gpudirect-{fabric}-installer")
            names += ["nri-device-injector"] if fabric != "rdma" else []
        required.update({name: known[name].reference for name in names})
    return required


def _fabric(accelerator: str, count: int) -> str | None:
    """Return the kind of GPUDirect of a machine; None also for one that does not exist, which is reported
    elsewhere."""
    machines = (
        machine for machine in MACHINES if (machine.accelerator, machine.count) == (accelerator, count)
    )
    return next((machine.fabric for machine in machines), None)


def repositories(settings: Settings) -> dict[str, bool]:
    """Return repository, at its mirror if it has one, -> whether the image has a digest, of workloads outside
    the namespaces of add-ons, and of containers in workloads of users."""
    known: dict[str, bool] = {}
    sidecars = [image for name, image in _of_gpudirect(settings).items() if name.endswith("-daemon")]
    for image in (*_of_components(settings).values(), *sidecars):
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


def _of_observability(settings: Settings) -> dict[str, str]:
    """Return `the add-on kube-prometheus-stack (grafana)` and `the observability (fluent-bit)` -> the
    image."""
    if settings.observability is None:
        return {}
    names = list(catalog()[OBSERVABILITY].images)
    if settings.environment.cloud == "gcp" and settings.observability.long_term_storage is not None:
        names = [GOOGLE_PROMETHEUS if name == "prometheus" else name for name in names]
    collectors = [
        image
        for topic, image in (
            (settings.observability.logs, "fluent-bit"),
            (settings.observability.traces, "opentelemetry-collector"),
        )
        if topic is not None
    ]
    users = {f"the add-on {OBSERVABILITY} ({name})": name for name in names}
    users |= {f"the observability ({name})": name for name in collectors}
    return {user: images()[name].reference for user, name in users.items()}


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
