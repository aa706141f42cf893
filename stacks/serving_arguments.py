"""The arguments of the component Serving: what the file states, and what the layers below offer. Pure: no
resource, no call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiplatform.addons.catalog import catalog
from aiplatform.gateway.args import ENVOY_GATEWAY
from aiplatform.model_store.args import RELEASE_GROUP
from aiplatform.serving.args import ServingArgs
from stacks.model_monitor_arguments import request_logs
from stacks.serving_images import release_image
from stacks.settings import Settings
from stacks.settings.generated import stated


@dataclass(frozen=True)
class Offered:
    """What the layers below offer: outputs of components, or placeholders of them."""

    cluster: Mapping[str, Any]
    model_store: Mapping[str, Any]
    node_pools: Sequence[Any]
    gpu_pools: Sequence[Any]
    observability: Mapping[str, Any] | None = None
    model_monitor: Mapping[str, Any] | None = None


def serving(settings: Settings, offered: Offered) -> ServingArgs:
    """Arguments of serving."""
    assert settings.serving is not None, "called only where there is serving"  # noqa: S101
    args = stated(settings.serving)
    args["teams"] = {
        # A team that the file does not have is reported by stacks/validation/serving.py.
        name: {**team, "namespace": settings.namespace_of(name) if name in settings.teams else name}
        for name, team in args.get("teams", {}).items()
    }
    shared = [name for name, pool in settings.gpu_pools.items() if stated(pool).get("sharing")]
    if shared and "default_runtimes" not in args:
        # Parts of one GPU have no connection to each other.
        args["default_runtimes"] = [name for name in settings.gpu_pools if name not in shared]
    clients = args.get("client_namespaces", [])
    if offered.observability is not None:
        args["prometheus_url"] = offered.observability["prometheus_url"]
        clients = list(dict.fromkeys([*clients, offered.observability["namespace"]]))
    if "rollouts" in args:
        args["rollouts"] = {**_rollouts(settings), **args["rollouts"]}
    if settings.gateway_class == "envoy":
        clients = list(dict.fromkeys([*clients, catalog()[ENVOY_GATEWAY].namespace]))
    if offered.model_monitor is not None:
        args["request_logs"] = request_logs(offered.model_monitor, settings.environment.cloud)
    args.update(
        prefix=settings.environment.prefix,
        cluster=offered.cluster,
        model_store=offered.model_store,
        image=release_image(settings),
        node_pools=list(offered.node_pools),
        gpu_pools=list(offered.gpu_pools),
        client_namespaces=clients,
        mirrors=settings.images.mirrors,
    )
    if settings.environment.cloud == "aws":
        args["tags"] = settings.environment.all_tags
    return cast("ServingArgs", args)


def _rollouts(settings: Settings) -> dict[str, Any]:
    """Return what other topics state about rollouts."""
    values: dict[str, Any] = {"operators": release_groups(settings)}
    if settings.gateway is not None and "timeout_seconds" in (gateway := stated(settings.gateway)):
        values["timeout_seconds"] = gateway["timeout_seconds"]
    if settings.observability is not None:
        prometheus: dict[str, Any] = stated(settings.observability).get("prometheus") or {}
        if "scrape_interval_seconds" in prometheus:
            values["scrape_seconds"] = prometheus["scrape_interval_seconds"]
    return values


def release_groups(settings: Settings) -> list[str]:
    """Return the groups of Kubernetes of the members that promote."""
    members: list[str] = (
        stated(settings.model_store).get("release_group", []) if settings.model_store is not None else []
    )
    if settings.environment.cloud == "gcp":
        return [member.partition(":")[2] for member in members]
    return [RELEASE_GROUP] if members else []
