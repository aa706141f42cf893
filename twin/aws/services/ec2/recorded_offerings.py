"""What the zones of a region offer, as moto has recorded DescribeInstanceTypeOfferings."""

from __future__ import annotations

from typing import Any


def by_zone_id(region: str) -> dict[str, list[str]]:
    """Return the zones of a region by their ids -> the instance types that they offer; empty where moto has
    no record of the region."""
    # Not moto.ec2, which reads the records of all regions.
    from moto.utilities.utils import load_resource

    try:
        offers: list[dict[str, Any]] = load_resource(
            f"ec2/resources/instance_type_offerings/availability-zone-id/{region}.json"
        )
    except FileNotFoundError:
        return {}
    zones: dict[str, list[str]] = {}
    for offer in offers:
        zones.setdefault(offer["Location"], []).append(offer["InstanceType"])
    return zones
