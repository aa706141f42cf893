"""What nodes need in a network without a route to the internet (`network.nat: none`).

On AWS they reach AWS by interface endpoints only, and no registry but ECR (EKS user guide, "Deploy private
clusters with limited internet access"); on Google Cloud they reach Google's services, and no registry but
Artifact Registry (VPC documentation, "Private Google Access").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiplatform._shared.args import Problem
from aiplatform._shared.images import mirrored, registry
from aiplatform.addons.args import ENDPOINTS as ADDONS
from aiplatform.cluster_autoscaler.args import ENDPOINTS as AUTOSCALER
from aiplatform.cluster_autoscaler.args import IMAGES, image_for
from aiplatform.container_registry.args import UPSTREAMS
from aiplatform.device_plugins.args import NEURON_IMAGE, NVIDIA_IMAGE
from aiplatform.feature_store.args import ENDPOINTS as FEATURE_STORE
from aiplatform.gpu_pool.aws import nodes
from aiplatform.lakehouse.args import ENDPOINTS as LAKEHOUSE
from aiplatform.model_registry.args import ENDPOINTS as MODEL_REGISTRY
from aiplatform.network.args import FOR_NODES
from aiplatform.observability import logs, traces
from aiplatform.observability.storage_args import ENDPOINTS as STORAGE
from stacks import images
from stacks.settings import Settings
from stacks.settings.generated import stated
from stacks.validation import components

PULL_THROUGH: Final = ("public.ecr.aws", "registry.k8s.io", "quay.io", "registry-1.docker.io", "ghcr.io")
"""Registries that ECR can be a pull-through cache of, out of those that images of the platform come from
(ECR user guide, "Sync an upstream registry"). NVIDIA's nvcr.io is not among them."""

PUBLIC_RECEIVERS: Final = {"slack": "Slack", "pagerduty": "PagerDuty"}
"""Kinds of receivers of alerts whose service is on the internet alone."""

GOOGLE_REGISTRIES: Final = re.compile(r"[a-z0-9-]+-docker\.pkg\.dev|([a-z0-9-]+\.)?gcr\.io")
"""Registries that nodes reach by Private Google Access."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the endpoints and registries that nodes need and cannot reach."""
    if settings.network.nat != "none":
        return
    if settings.environment.cloud == "aws":
        yield from _endpoints(settings)
    yield from _observability(settings)
    unreachable: dict[str, list[str]] = {}
    for name, image in upstream_images(settings).items():
        if not _is_reachable(settings, image):
            unreachable.setdefault(registry(image), []).append(name)
    for host, names in unreachable.items():
        yield Problem("images.mirrors", _advice(settings, host, names))


def _is_reachable(settings: Settings, image: str) -> bool:
    source = mirrored(image, settings.images.mirrors)
    if settings.environment.cloud == "gcp":
        return GOOGLE_REGISTRIES.fullmatch(registry(source)) is not None
    return source != image


def _endpoints(settings: Settings) -> Iterator[Problem]:
    required = {**dict.fromkeys(AUTOSCALER, "the autoscaler"), **dict.fromkeys(FOR_NODES, "nodes")}
    optional = (
        (settings.lakehouse, LAKEHOUSE, "clients of the lakehouse"),
        (settings.feature_store, FEATURE_STORE, "the feature store"),
        (settings.model_registry, MODEL_REGISTRY, "the model registry"),
    )
    for topic, endpoints, client in optional:
        if topic is not None:
            required = {**dict.fromkeys(endpoints, client), **required}
    if settings.observability is not None:
        for part, endpoints, client in (
            (settings.observability.logs, logs.ENDPOINTS, "the logs"),
            (settings.observability.traces, traces.ENDPOINTS, "the traces"),
            (settings.observability.long_term_storage, STORAGE, "the storage of metrics"),
        ):
            if part is not None:
                required = {**dict.fromkeys(endpoints, client), **required}
    for addon in images.addons_of(settings):
        required = {**dict.fromkeys(ADDONS.get(addon, ()), f"the add-on {addon}"), **required}
    missing = [
        f"{endpoint} ({client})"
        for endpoint, client in sorted(required.items())
        if endpoint not in settings.network.endpoints
    ]
    if missing:
        yield Problem(
            "network.aws.endpoints",
            f"nodes reach AWS by endpoints only, as nat is 'none'; expected also {', '.join(missing)}",
        )


def _observability(settings: Settings) -> Iterator[Problem]:
    """Yield receivers of alerts that Alertmanager cannot reach, and what Grafana cannot download."""
    if settings.observability is None:
        return
    args = stated(settings.observability)
    notifications: dict[str, Any] = args.get("notifications") or {}
    receivers: list[dict[str, Any]] = notifications.get("receivers") or []
    for index, receiver in enumerate(receivers):
        for kind, service in PUBLIC_RECEIVERS.items():
            if receiver.get(kind) is not None:
                yield Problem(
                    f"observability.notifications.receivers[{index}].{kind}",
                    f"Pods cannot reach {service}, as nat is 'none', and no alert would arrive; expected "
                    "email or webhook, by a server that the network reaches",
                )
    storage: dict[str, Any] = args.get("long_term_storage") or {}
    if storage.get("data_source"):
        yield Problem(
            "observability.long_term_storage.data_source",
            "Grafana cannot download the plugin of the data source, as nat is 'none'; expected it left out",
        )


def _advice(settings: Settings, host: str, names: Sequence[str]) -> str:
    problem = f"nodes cannot reach {host} for {' and '.join(names)}, as nat is 'none'; expected"
    environment = settings.environment
    if environment.cloud == "gcp":
        repository = f"{environment.prefix}-{UPSTREAMS.get(host, 'mirror')}"
        mirror = f"{environment.region}-docker.pkg.dev/{environment.project_id}/{repository}"
        return (
            f"{problem} a remote repository of Artifact Registry, such as {{{host}: {mirror}}}, which "
            f"`container_registry: {{caches: [{{upstream: {host}}}]}}` creates"
        )
    account = f"{environment.account_id}.dkr.ecr.{environment.region}.amazonaws.com"
    mirror = f"{{{host}: {account}/{host.split('.')[0]}}}"
    if host in PULL_THROUGH:
        return f"{problem} a pull-through cache of it in ECR, {mirror}"
    return f"{problem} a copy of the images, {mirror} (ECR has no pull-through cache of {host})"


def upstream_images(settings: Settings) -> Mapping[str, str]:
    """Return what the program installs, each with its image upstream. EKS's add-ons come from ECR, the
    autoscaler and the device plugins of GKE from Google's registry."""
    upstream = dict(images.of_workloads(settings))
    if settings.environment.cloud == "gcp":
        return upstream
    if settings.cluster.version in IMAGES:
        upstream["the cluster autoscaler"] = image_for(settings.cluster.version)
    plugins = {"nvidia": NVIDIA_IMAGE, "neuron": NEURON_IMAGE}
    for pool in components.valid_gpu_pools(settings).values():
        plugin = nodes.device_plugin(pool)
        if plugin in plugins:
            upstream[f"the {plugin} device plugin"] = plugins[plugin]
    return upstream
