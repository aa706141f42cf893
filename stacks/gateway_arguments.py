"""The arguments of the component Gateway: what the file states, and the teams of the environment. Pure: no
resource, no call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from aiplatform.gateway.args import GatewayArgs
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
    args.update(cluster=cluster, charts=charts(settings), mirrors=settings.images.mirrors)
    return cast("GatewayArgs", args)
