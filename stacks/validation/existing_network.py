"""What a file that names an existing network has to state of it, and what then has no effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiplatform._shared.addresses import any_range
from aiplatform._shared.args import Problem, distinct, matches, obeys
from aiplatform.network.args import ZONE_ID
from stacks.settings import Settings
from stacks.settings.generated import stated

_OF_CREATED: Final = ("zone_count", "zone_ids", "kms_key", "kms_key_grants")
"""Keys of a network that is created. A profile states none of them."""
_VPC: Final = matches(r"vpc-([0-9a-f]{8}|[0-9a-f]{17})", "the id of a VPC, vpc-0123456789abcdef0")
_SUBNET: Final = matches(r"subnet-([0-9a-f]{8}|[0-9a-f]{17})", "the id of a subnet, subnet-0123456789abcdef0")
_OF_GOOGLE: Final = ("pods_range", "services_range", "pods_cidr", "services_cidr", "private_services")
"""Keys that a network of AWS does not have."""


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
    if settings.environment.cloud == "aws":
        yield from _on_aws(stated(existing))
    if existing.proxies_cidr is not None:
        yield from obeys("network.existing.proxies_cidr", existing.proxies_cidr, any_range)
    elif settings.gateway is not None and settings.gateway_class == "gke" and _on_google(settings):
        yield Problem(
            "network.existing.proxies_cidr",
            "missing; expected the range of the proxy-only subnet, from which the gateway reaches Pods",
        )


def _on_aws(existing: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield ids that AWS does not give, and keys that only Google Cloud has: a component takes the ids of any
    network, which are outputs there."""
    path = "network.existing"
    yield from obeys(f"{path}.vpc_id", existing["vpc_id"], _VPC)
    for key in ("private_subnet_ids", "intra_subnet_ids"):
        subnets = existing.get(key, [])
        yield from obeys(f"{path}.{key}", subnets, distinct)
        for index, subnet in enumerate(subnets):
            yield from obeys(f"{path}.{key}[{index}]", subnet, _SUBNET)
    for index, zone in enumerate(existing["zones"]):
        yield from obeys(f"{path}.zones[{index}].id", zone["id"], ZONE_ID)
        for key in ("private_subnet_id", "public_subnet_id", "intra_subnet_id"):
            if zone.get(key) is not None:
                yield from obeys(f"{path}.zones[{index}].{key}", zone[key], _SUBNET)
    for key in _OF_GOOGLE:
        if key in existing:
            yield Problem(f"{path}.{key}", "which only networks of Google Cloud have; expected it left out")


def _on_google(settings: Settings) -> bool:
    return settings.environment.cloud == "gcp"
