"""What a network without a way out must have, told before anything is made. Pure: no resource, no call.

Without a NAT gateway nodes reach AWS by endpoints alone, and no registry but ECR (EKS user guide, "Deploy
private clusters with limited internet access").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aiplatform._args import ArgumentError, read
from aiplatform._images import mirrored, registry
from aiplatform.cluster_autoscaler.args import ENDPOINTS as AUTOSCALER
from aiplatform.cluster_autoscaler.args import IMAGES, image_for
from aiplatform.device_plugins.args import NEURON_IMAGE, NVIDIA_IMAGE
from aiplatform.feature_store.args import ENDPOINTS as FEATURE_STORE
from aiplatform.feature_store.args import IMAGE as FEATURE_STORE_IMAGE
from aiplatform.gpu_pool import nodes
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.lakehouse.args import ENDPOINTS as LAKEHOUSE
from aiplatform.model_registry.args import ENDPOINTS as MODEL_REGISTRY
from aiplatform.model_registry.args import IMAGE as MODEL_REGISTRY_IMAGE
from aiplatform.network.args import FOR_NODES
from stacks import arguments, to_be
from stacks.settings import Settings

PULL_THROUGH: Final = ("public.ecr.aws", "registry.k8s.io", "quay.io", "registry-1.docker.io", "ghcr.io")
"""Registries that ECR can be a pull-through cache of, of those that anything here comes from (ECR user guide,
"Sync an upstream registry"). NVIDIA's nvcr.io is none of them."""


def faults(settings: Settings) -> Iterator[tuple[str, str]]:
    """(dotted key, reason) of what nodes would call for in vain."""
    if settings.environment.cloud != "aws" or settings.network.nat != "none":
        return
    needed = {**dict.fromkeys(AUTOSCALER, "the autoscaler"), **dict.fromkeys(FOR_NODES, "nodes")}
    parts = (
        (settings.lakehouse, LAKEHOUSE, "clients of the lakehouse"),
        (settings.feature_store, FEATURE_STORE, "the feature store"),
        (settings.model_registry, MODEL_REGISTRY, "the model registry"),
    )
    for there, endpoints, who in parts:
        if there is not None:
            needed = {**dict.fromkeys(endpoints, who), **needed}
    missing = {each: who for each, who in sorted(needed.items()) if each not in settings.network.endpoints}
    if missing:
        told = ", ".join(f"{each} ({who})" for each, who in missing.items())
        yield (
            "network.endpoints",
            f"nat 'none' leaves endpoints as the only way out, and these are missing: {told}",
        )
    places = settings.images.mirrors
    unreachable: dict[str, list[str]] = {}
    for name, image in _images(settings).items():
        if mirrored(image, places) == image:
            unreachable.setdefault(registry(image), []).append(name)
    for host, names in unreachable.items():
        yield "images.mirrors", _advice(settings, host, names)


def _advice(settings: Settings, host: str, names: Sequence[str]) -> str:
    own = f"{settings.environment.account_id}.dkr.ecr.{settings.environment.region}.amazonaws.com"
    how = (
        f"a pull-through cache of it in ECR, {{{host}: {own}/{host.split('.')[0]}}}"
        if host in PULL_THROUGH
        else f"repositories that you copy the images into, {{{host}: {own}/{host.split('.')[0]}}} "
        f"(ECR has no pull-through cache of {host})"
    )
    return f"nat 'none' leaves no way to {host}, where {' and '.join(names)} would come from; expected {how}"


def _images(settings: Settings) -> Mapping[str, str]:
    """What the program installs -> its image upstream. EKS's own add-ons come from ECR."""
    found: dict[str, str] = {}
    if settings.cluster.version in IMAGES:
        found["the cluster autoscaler"] = image_for(settings.cluster.version)
    if settings.feature_store is not None:
        found["the feature store"] = FEATURE_STORE_IMAGE
    if settings.model_registry is not None:
        found["the model registry"] = MODEL_REGISTRY_IMAGE
    plugins = {"nvidia": NVIDIA_IMAGE, "neuron": NEURON_IMAGE}
    there = to_be.network_to_be(settings, to_be.zones_to_be(settings))
    here = to_be.cluster_to_be(settings)
    for name, pool in settings.gpu_pools.items():
        try:
            given = arguments.gpu_pool(settings, name, pool, here, there)
            plugin = nodes.device_plugin(read(GpuPoolSettings, given, "GpuPoolArgs"))
        except ArgumentError:
            continue  # told elsewhere
        if plugin in plugins:
            found[f"the {plugin} device plugin"] = plugins[plugin]
    return found
