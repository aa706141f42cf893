"""Recorded offers of instance types by zone."""

from __future__ import annotations

from twin.aws.services.autoscaling import capacity
from twin.aws.services.ec2.recorded_offerings import by_zone_id


def test_zones_offer_what_the_twin_answers_to_ec2s_clients() -> None:
    zones = by_zone_id("us-west-2")
    assert sorted(zones) == ["usw2-az1", "usw2-az2", "usw2-az3", "usw2-az4"]
    offering = [zone for zone, types in zones.items() if "p5.48xlarge" in types]
    assert len(offering) == len(capacity.zones_offering("p5.48xlarge", "us-west-2")) > 0


def test_unrecorded_region_has_no_zones() -> None:
    assert by_zone_id("xx-nowhere-1") == {}
