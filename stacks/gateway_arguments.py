"""The arguments of the component Gateway: what the file states, and the teams of the environment. Pure: no
resource, no call."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any, cast

from aiplatform.gateway.args import GatewayArgs
from aiplatform.network.gcp.planning import plan
from stacks.arguments import charts
from stacks.settings import Settings
from stacks.settings.generated import stated


def gateway(settings: Settings, cluster: Mapping[str, Any]) -> GatewayArgs:
    """Arguments of the gateway. cluster: outputs, or a reference."""
    assert settings.gateway is not None, "called only where there is a gateway"  # noqa: S101
    args = stated(settings.gateway)
    claims: dict[str, list[str]] = args.pop("claims", {})
    names = list(dict.fromkeys([*settings.teams, *claims]))
    args["teams"] = {
        name: {
            # One that the file lacks is reported by stacks/validation/cross_references.py.
            "namespace": settings.namespace_of(name) if name in settings.teams else name,
            **({"claims": claims[name]} if name in claims else {}),
        }
        for name in names
    }
    if settings.gateway_class == "gke" and settings.environment.cloud == "gcp":
        args["proxy_ranges"] = _proxy_ranges(settings)
    args.update(cluster=cluster, charts=charts(settings), mirrors=settings.images.mirrors)
    return cast("GatewayArgs", args)


def _proxy_ranges(settings: Settings) -> list[str]:
    """Return the range of the network's proxy-only subnet."""
    existing = settings.network.existing
    if existing is not None:
        # A missing one is reported by stacks/validation/existing_network.py.
        return [existing.proxies_cidr or "10.0.176.0/23"]
    try:
        return [str(plan(IPv4Network(str(stated(settings.network)["cidr"]))).proxies)]
    except (KeyError, ValueError):
        # A wrong range is reported by stacks/validation/components.py.
        return ["10.0.176.0/23"]
