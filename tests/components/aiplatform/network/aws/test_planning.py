"""The plan of subnets, for all ranges and zones."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiplatform.network.aws.planning import LARGEST, RESERVED, SMALLEST, ZonePlan, plan, pods, too_small


@st.composite
def _ranges(draw: st.DrawFn) -> IPv4Network:
    length = draw(st.integers(LARGEST, SMALLEST))
    base = draw(st.integers(0, 2 ** (length - 8) - 1))
    return IPv4Network((10 * 2**24 + base * 2 ** (32 - length), length))


_zones = st.sampled_from([2, 3])


def _subnets(zones: tuple[ZonePlan, ...]) -> list[IPv4Network]:
    return [subnet for zone in zones for subnet in (zone.private, zone.public, zone.intra)]


@given(_ranges(), _zones)
def test_every_subnet_lies_inside_and_none_overlaps(cidr: IPv4Network, zones: int):
    subnets = _subnets(plan(cidr, zones))
    assert len(subnets) == 3 * zones
    assert all(subnet.subnet_of(cidr) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))


@given(_ranges())
def test_a_third_zone_moves_nothing(cidr: IPv4Network):
    assert plan(cidr, 3)[:2] == plan(cidr, 2)


@given(_ranges(), _zones)
def test_every_subnet_is_one_that_aws_and_eks_accept(cidr: IPv4Network, zones: int):
    for zone in plan(cidr, zones):
        assert all(16 <= subnet.prefixlen <= 28 for subnet in (zone.private, zone.public, zone.intra))
        assert zone.intra.num_addresses - RESERVED >= 16 + 20, (
            "EKS recommends 16 free addresses for the control plane, and endpoints take one each"
        )


@given(_ranges(), _zones, st.booleans(), st.integers(1, 60_000))
def test_the_private_subnets_hold_the_pods_or_the_error_says_so(
    cidr: IPv4Network, zones: int, delegation: bool, wanted: int
):
    reason = too_small(cidr, zones, wanted, prefix_delegation=delegation)
    free = sum(zone.private.num_addresses - RESERVED for zone in plan(cidr, zones))
    if reason is None:
        assert free >= wanted * 1.25, "headroom for nodes and warm addresses is kept"
    else:
        assert str(pods(cidr, zones, prefix_delegation=delegation)) in reason


@given(_ranges(), _zones, st.integers(1, 60_000))
def test_what_the_error_says_would_be_enough_is_enough(cidr: IPv4Network, zones: int, wanted: int):
    reason = too_small(cidr, zones, wanted, prefix_delegation=False)
    if reason and "would be enough" in reason:
        length = int(reason.split("/")[-1].split()[0])
        more_zones = 3 if reason.endswith("over 3 zones would be enough") else zones
        larger = cidr.supernet(new_prefix=length)
        assert too_small(larger, more_zones, wanted, prefix_delegation=False) is None


def test_prefix_delegation_counts_whole_prefixes():
    cidr = IPv4Network("10.0.0.0/20")
    assert pods(cidr, 2, prefix_delegation=True) == int(2 * (1024 - 32) / 1.25)
    assert pods(cidr, 2, prefix_delegation=False) == int(2 * (1024 - 5) / 1.25)


def test_more_pods_than_any_vpc_holds_are_told_the_most():
    reason = too_small(IPv4Network("10.0.0.0/16"), 3, 100_000, prefix_delegation=False)
    assert reason is not None
    assert "the largest range that AWS allows, /16, has addresses for 39309 over 3 zones" in reason


@pytest.mark.parametrize(("cidr", "zones"), [("10.0.0.0/8", 2), ("10.0.0.0/24", 2), ("10.0.0.0/16", 4)])
def test_a_plan_that_cannot_be_made_is_refused(cidr: str, zones: int):
    with pytest.raises(ValueError, match=r"10\.0\.0\.0|zones"):
        plan(IPv4Network(cidr), zones)
