"""Container images that the program deploys in an environment, and where its nodes pull them from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from aiplatform._shared.images import images, mirrored
from aiplatform.accelerators import CARDS
from aiplatform.addons.catalog import catalog, selected
from aiplatform.feature_store.args import IMAGE as FEATURE_STORE
from aiplatform.gateway.args import ENVOY_GATEWAY, ENVOY_KINDS
from aiplatform.model_registry.args import IMAGE as MODEL_REGISTRY
from aiplatform.observability.args import CHART as OBSERVABILITY
from aiplatform.observability.args import GOOGLE_PROMETHEUS, OPENCOST
from aiplatform.pipelines.args import ARGO
from aiplatform.training.args import RAY, TRAINER
from stacks import addon_options, devices, gpu_check_queues, serving_images
from stacks.settings import GpuPool, Settings
from stacks.settings.generated import stated

PYTORCH: Final = "gpu-test-pytorch"
DCGM: Final = "gpu-test-dcgm"
EXECUTOR: Final = "argo-executor"
"""Names in images.toml."""


def of_workloads(settings: Settings) -> Mapping[str, str]:
    """Return workload of the platform -> its image: the file's, or upstream's, not that of a mirror."""
    return {
        **_of_components(settings),
        **{f"the {name} of GPUDirect": image for name, image in of_gpudirect(settings).items()},
        **_of_addons(settings),
        **_of_observability(settings),
        **_of_installed(component_addons(settings)),
        **serving_images.images_of(settings),
    }


def of_users(settings: Settings) -> Mapping[str, str]:
    """Return what users run of the platform -> its image, as of_workloads: tests by `aiplatform gpu check`,
    and runtimes of training and serving. An environment works without them: nothing requires that its nodes
    reach their registries."""
    return {
        **of_tests(settings),
        **_of_runtimes(settings),
        **serving_images.runtime_images(settings),
    }


def of_tests(settings: Settings) -> Mapping[str, str]:
    """Return test that `aiplatform gpu check` runs -> its image."""
    return {f"the test of GPUs ({name})": image for name, image in _of_gpu_checks(settings).items()}


def training_addons(settings: Settings) -> list[str]:
    """Return the names of the add-ons that training installs."""
    if settings.training is None:
        return []
    return [TRAINER, RAY] if stated(settings.training).get("ray") else [TRAINER]


def component_addons(settings: Settings) -> list[str]:
    """Return the names of the add-ons that components install, but for observability's."""
    return [
        *training_addons(settings),
        *gateway_addons(settings),
        *([ARGO] if settings.pipelines is not None else []),
    ]


def gateway_addons(settings: Settings) -> list[str]:
    """Return the names of the add-ons that the gateway installs."""
    return [ENVOY_KINDS, ENVOY_GATEWAY] if settings.gateway_class == "envoy" else []


def _of_runtimes(settings: Settings) -> dict[str, str]:
    """Return the images of the runtimes of training: the defaults of its pools, and those that the file
    states."""
    if settings.training is None:
        return {}
    runtimes: dict[str, dict[str, Any]] = stated(settings.training).get("runtimes", {})
    used = {_default_image(settings, pool) for pool in settings.gpu_pools.values()}
    used |= {"training-torch" for runtime in runtimes.values() if runtime["pool"] in settings.node_pools}
    initializers: list[dict[str, Any]] = [
        runtime["initializers"] for runtime in runtimes.values() if runtime.get("initializers")
    ]
    used |= {f"trainer-{kind}-initializer" for entry in initializers for kind in entry["kinds"]}
    known = {f"runtimes of training ({name})": images()[name].reference for name in sorted(used - {""})}
    of_file = {
        f"the runtime {name}": runtime["image"] for name, runtime in runtimes.items() if runtime.get("image")
    }
    return {**known, **of_file}


def _default_image(settings: Settings, pool: GpuPool) -> str:
    """Return the name of the image of a pool's runtime; empty where it has none."""
    card = CARDS.get(pool.accelerator)
    if card is None or pool in devices.claiming(settings).values():
        return ""
    if card.vendor == "tpu":
        return "training-jax-tpu"
    if card.vendor != "nvidia":
        return ""
    if settings.environment.cloud == "aws":
        return "training-torch-efa" if devices.has_efa(pool) else "training-torch"
    return "training-torch-tcpx" if devices.gpudirect(pool) == "tcpx" else "training-torch"


def _of_components(settings: Settings) -> dict[str, str]:
    topics = (
        ("the feature store", settings.feature_store, FEATURE_STORE),
        ("the model registry", settings.model_registry, MODEL_REGISTRY),
        # Built by the organisation: there is no published one.
        ("the model store", settings.model_store, None),
        ("the steps of continuous training", settings.continuous_training, None),
        ("the monitors of models", settings.model_monitor, None),
        ("the control of costs", settings.cost, None),
    )
    used = {name: stated(topic).get("image") or image for name, topic, image in topics if topic is not None}
    return {name: image for name, image in used.items() if image is not None}


def of_gpudirect(settings: Settings) -> dict[str, str]:
    """Return the images that a pool with GPUDirect runs on its nodes, and those of its Pods' sidecars."""
    known = images()
    required: dict[str, str] = {}
    for pool, fabric in devices.gpudirect_pools(settings).items():
        names = [f"gpudirect-{fabric}-daemon"] if fabric != "rdma" else []
        if stated(settings.gpu_pools[pool]).get("gpudirect_installers") is not False:
            names.append(f"gpudirect-{fabric}-installer")
            names += ["nri-device-injector"] if fabric != "rdma" else []
        required.update({name: known[name].reference for name in names})
    return required


def of_gpu_tests(cloud: str) -> dict[str, str]:
    """Return the images of the tests of GPUs, by name. On AWS PyTorch's has libfabric and aws-ofi-nccl, and
    nodes have an engine of DCGM, next to which none may run."""
    known = images()
    if cloud == "aws":
        return {PYTORCH: known[f"{PYTORCH}-aws"].reference}
    return {name: known[name].reference for name in (PYTORCH, f"{PYTORCH}-tcpx", DCGM)}


def pytorch_of(fabric: str | None) -> str:
    """Return the name of PyTorch's image on nodes with a network between accelerators. The plugin of TCPX has
    NCCL 2.19, in whose place an image built for a later NCCL cannot be loaded."""
    return f"{PYTORCH}-tcpx" if fabric == "tcpx" else PYTORCH


def _of_gpu_checks(settings: Settings) -> dict[str, str]:
    """Return the images of the tests that `aiplatform gpu check` runs in an environment."""
    if not gpu_check_queues.queues_of(settings):
        return {}
    environment = settings.environment
    known = of_gpu_tests(environment.cloud)
    kinds = devices.gpudirect_pools(settings)
    # On Google Cloud PyTorch measures the network only.
    networks = [pytorch_of(kinds[pool]) for pool in gpu_check_queues.fabric_of(settings)]
    needed = {PYTORCH} if environment.cloud == "aws" else {DCGM, *networks}
    return {name: image for name, image in known.items() if name in needed}


def repositories(settings: Settings) -> list[str]:
    """Return the repositories, at their mirrors if they have one, of workloads outside the namespaces of
    add-ons, and of containers in workloads of users."""
    names = (image.partition("@")[0] for image in _next_to_users(settings))
    return list(dict.fromkeys(_split_tag(name)[0] for name in names))


def without_digests(settings: Settings) -> list[str]:
    """Return the images of these repositories that have no digest, as their Pods name them, with their tags:
    another tag of the repository needs a digest."""
    images_without = (image for image in _next_to_users(settings) if "@" not in image)
    # One without a tag is refused anyway, and would be an exception of its whole repository.
    return list(dict.fromkeys(image for image in images_without if _split_tag(image)[1]))


def _next_to_users(settings: Settings) -> Iterator[str]:
    """Yield the images that the guardrails evaluate, at their mirrors."""
    sidecars = [image for name, image in of_gpudirect(settings).items() if name.endswith("-daemon")]
    # A user states the digest of an image of the file.
    users = [
        *_of_gpu_checks(settings).values(),
        *(image for user, image in _of_runtimes(settings).items() if user.startswith("runtimes")),
        *serving_images.next_to_users(settings),
    ]
    # In the Pod of each step.
    executor = [images()[EXECUTOR].reference] if settings.pipelines is not None else []
    for image in (*_of_components(settings).values(), *sidecars, *executor, *users):
        yield mirrored(image, settings.images.mirrors)


def _split_tag(name: str) -> tuple[str, str]:
    """Return repository and tag of an image without a digest; a colon before a slash is that of a port."""
    head, slash, last = name.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}", tag


def addons_of(settings: Settings) -> list[str]:
    """Return the names of the add-ons that an environment has."""
    topic = settings.addons
    if topic is None:
        return []
    enabled = {name: option.get("enabled") for name, option in addon_options.options(settings).items()}
    return selected(settings.environment.cloud, enabled, has_zones=bool(topic.dns_zones))


def _of_addons(settings: Settings) -> dict[str, str]:
    """Return `the add-on kueue (kueue)` -> its image, of the add-ons that are installed."""
    return {
        f"the add-on {name} ({image})": images()[image].reference
        for name in addons_of(settings)
        for image in catalog()[name].images
    }


def _of_installed(addons: Iterable[str]) -> dict[str, str]:
    """Return `the add-on kubeflow-trainer (trainer)` -> the image, of add-ons that a component installs."""
    return {
        f"the add-on {name} ({image})": images()[image].reference
        for name in addons
        for image in catalog()[name].images
    }


def _of_observability(settings: Settings) -> dict[str, str]:
    """Return `the add-on kube-prometheus-stack (grafana)` and `the collector fluent-bit` -> the image."""
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
    if settings.observability.opencost is not None:
        users |= {f"the add-on {OPENCOST} ({name})": name for name in catalog()[OPENCOST].images}
    users |= {f"the collector {name}": name for name in collectors}
    return {user: images()[name].reference for user, name in users.items()}


def admitted(settings: Settings, patterns: Iterable[str]) -> list[str]:
    """Return patterns of Binary Authorization: these, and one for each image of the platform that they do not
    match, as the cluster would refuse it. Such a pattern is the image itself, without a wildcard."""
    complete = list(patterns)
    for image in (*of_workloads(settings).values(), *of_users(settings).values()):
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
