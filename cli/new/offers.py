"""Regions and what their zones offer, without a cloud: what the twin has recorded of both."""

from __future__ import annotations

import re

_REGION = re.compile(r"[a-z0-9-]+")


def regions() -> dict[str, list[str]]:
    """Return the regions of AWS that have EKS, as botocore lists them; those of Google Cloud the program
    knows."""
    import botocore.session

    return {"aws": botocore.session.Session().get_available_regions("eks")}


def by_zone(cloud: str, region: str) -> dict[str, list[str]]:
    """Return zone -> machine types that it offers, and on Google Cloud the accelerators that are attached
    there. Empty where nothing is recorded of the region."""
    if not _REGION.fullmatch(region):
        return {}
    if cloud == "aws":
        from twin.aws.services.ec2 import recorded_offerings

        return recorded_offerings.by_zone_id(region)
    from twin.gcp.services.compute import capacity

    cards = capacity.cards()
    return {
        zone: [
            *(name for name in capacity.machine_types() if capacity.offered(name, zone)),
            *(card for card, zones in cards.items() if zone in zones),
        ]
        for zone in capacity.zones(region)
    }
