"""What a file that names an existing network has to state of it, and what then has no effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiplatform._shared.addresses import any_range
from aiplatform._shared.args import Problem, obeys
from stacks.settings import Settings
from stacks.settings.generated import stated

_OF_CREATED: Final = ("zone_count", "zone_ids", "kms_key", "kms_key_grants")
"""Keys of a network that is created. A profile states none of them."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is missing or without effect."""
    existing = settings.network.existing
    if existing is None:
        return
    for key in _OF_CREATED:
        if key in stated(settings.network):
            yield Problem(
                f"network.{key}", "got one with `existing`, of which nothing is created; expected it left out"
            )
    if existing.proxies_cidr is not None:
        yield from obeys("network.existing.proxies_cidr", existing.proxies_cidr, any_range)
    elif settings.gateway is not None and settings.gateway_class == "gke" and _on_google(settings):
        yield Problem(
            "network.existing.proxies_cidr",
            "missing; expected the range of the proxy-only subnet, from which the gateway reaches Pods",
        )


def _on_google(settings: Settings) -> bool:
    return settings.environment.cloud == "gcp"
