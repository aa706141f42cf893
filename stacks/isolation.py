"""What a network without a way out must have, checked before anything is registered. Pure: no resource and
no call.

Without a NAT gateway nodes reach AWS by endpoints alone, and no registry but ECR (EKS user guide, "Deploy
private clusters with limited internet access"); on Google Cloud they reach Google's services, and no registry
but Artifact Registry (VPC documentation, "Private Google Access").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aiplatform._shared.args import ArgumentError, read
from aiplatform._shared.images import mirrored, registry
from aiplatform.cluster_autoscaler.args import ENDPOINTS as AUTOSCALER
from aiplatform.cluster_autoscaler.args import IMAGES, image_for
from aiplatform.container_registry.args import UPSTREAMS
from aiplatform.device_plugins.args import NEURON_IMAGE, NVIDIA_IMAGE
from aiplatform.feature_store.args import ENDPOINTS as FEATURE_STORE
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import nodes
from aiplatform.lakehouse.args import ENDPOINTS as LAKEHOUSE
from aiplatform.model_registry.args import ENDPOINTS as MODEL_REGISTRY
from aiplatform.network.args import FOR_NODES
from stacks import arguments, images, to_be
from stacks.settings import Settings

PULL_THROUGH: Final = ("public.ecr.aws", "registry.k8s.io", "quay.io", "registry-1.docker.io", "ghcr.io")
"""Registries that ECR can be a pull-through cache of, of those that anything here comes from (ECR user guide,
"Sync an upstream registry"). NVIDIA's nvcr.io is none of them."""

GOOGLES: Final = re.compile(r"[a-z0-9-]+-docker\.pkg\.dev|([a-z0-9-]+\.)?gcr\.io")
"""Registries that nodes reach by Private Google Access."""


def problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """(dotted key, reason) of what nodes would call for in vain."""
    if settings.network.nat != "none":
        return
    if settings.environment.cloud == "aws":
        yield from _endpoints(settings)
    places = settings.images.mirrors
    unreachable: dict[str, list[str]] = {}
    for name, image in _images(settings).items():
        pulled = mirrored(image, places)
        on_google = settings.environment.cloud == "gcp"
        if GOOGLES.fullmatch(registry(pulled)) is None if on_google else pulled == image:
            unreachable.setdefault(registry(image), []).append(name)
    for host, names in unreachable.items():
        yield "images.mirrors", _advice(settings, host, names)


def _endpoints(settings: Settings) -> Iterator[tuple[str, str]]:
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
            "network.aws.endpoints",
            f"nat 'none' leaves endpoints as the only way out, and these are missing: {told}",
        )


def _advice(settings: Settings, host: str, names: Sequence[str]) -> str:
    missing = f"nat 'none' leaves no way to {host}, where {' and '.join(names)} would come from; expected"
    if settings.environment.cloud == "gcp":
        environment, cache = settings.environment, UPSTREAMS.get(host, "mirror")
        own = f"{environment.region}-docker.pkg.dev/{environment.project_id}/{environment.prefix}-{cache}"
        return (
            f"{missing} a remote repository of Artifact Registry, such as {{{host}: {own}}}, which "
            f"`container_registry: {{caches: [{{upstream: {host}}}]}}` makes"
        )
    own = f"{settings.environment.account_id}.dkr.ecr.{settings.environment.region}.amazonaws.com"
    how = (
        f"a pull-through cache of it in ECR, {{{host}: {own}/{host.split('.')[0]}}}"
        if host in PULL_THROUGH
        else f"repositories that you copy the images into, {{{host}: {own}/{host.split('.')[0]}}} "
        f"(ECR has no pull-through cache of {host})"
    )
    return f"{missing} {how}"


def _images(settings: Settings) -> Mapping[str, str]:
    """What the program installs -> its image upstream. EKS's own add-ons come from ECR."""
    found = dict(images.of_workloads(settings))
    if settings.environment.cloud == "gcp":
        return found  # GKE brings autoscaler and device plugins from Google's registry
    if settings.cluster.version in IMAGES:
        found["the cluster autoscaler"] = image_for(settings.cluster.version)
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
