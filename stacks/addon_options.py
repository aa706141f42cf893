"""The options of add-ons: what the file states, over what other topics need. Pure: no resource, no call."""

from __future__ import annotations

from typing import Any

from aiplatform._shared.deep_merge import overlaid
from aiplatform.addons.args import CLAIMS
from aiplatform.addons.permissions.settings import KARPENTER
from aiplatform.gateway.args import GATEWAY_KINDS
from aiplatform.model_monitor.args import PUSHGATEWAY
from aiplatform.serving.args import DEFINITIONS, KSERVE
from stacks import devices
from stacks.settings import Settings
from stacks.settings.generated import stated


def options(settings: Settings) -> dict[str, Any]:
    """Return add-on -> its options. An add-on that another topic needs is enabled, unless the file states
    something else."""
    needed: dict[str, Any] = {}
    if devices.claimed(settings):
        needed[CLAIMS] = {"enabled": True}
    if devices.needs_exporter(settings):
        needed[devices.EXPORTER] = {"enabled": True}
    if settings.karpenter_pools:
        needed[KARPENTER] = _karpenter(settings)
    if settings.gateway_class == "envoy":
        needed[GATEWAY_KINDS] = {"enabled": True}
    if settings.serving is not None:
        needed |= {name: {"enabled": True} for name in (DEFINITIONS, KSERVE)}
    if settings.model_monitor is not None and settings.observability is not None:
        needed[PUSHGATEWAY] = {"enabled": True}
    file: dict[str, Any] = stated(settings.addons) if settings.addons is not None else {}
    return overlaid(needed, file.get("options", {}))


def _karpenter(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {"enabled": True}
    if settings.network.nat == "none":
        # It calls neither IAM nor the price list, for which a region has no endpoints.
        options["values"] = {"settings": {"isolatedVPC": True}}
    return options
