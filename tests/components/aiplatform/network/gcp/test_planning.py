"""The plan of ranges on Google Cloud, for all ranges and all arguments."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiplatform.network.gcp.planning import (
    LARGEST,
    LEAST_PODS,
    MOST_NODES,
    MOST_PODS,
    RESERVED,
    SMALLEST,
    block,
    capacity,
    needed_nodes,
    plan,
    too_small,
)


@st.composite
def _ranges(draw: st.DrawFn) -> IPv4Network:
    length = draw(st.integers(LARGEST, SMALLEST))
    base = draw(st.integers(0, 2 ** (length - 8) - 1))
    return IPv4Network((10 * 2**24 + base * 2 ** (32 - length), length))


_some = settings(max_examples=40)
_per_node = st.integers(LEAST_PODS, MOST_PODS)
_pods = st.integers(1, 1_000_000)
_nodes = st.one_of(st.none(), st.integers(1, MOST_NODES))


@_some
@given(_ranges())
def test_every_range_lies_inside_and_none_overlaps(cidr: IPv4Network):
    parts = plan(cidr)
    ranges = [
        parts.pods,
        parts.services,
        parts.nodes,
        parts.private_services,
        parts.proxies,
        parts.control_plane,
        parts.free,
    ]
    assert all(part.subnet_of(cidr) for part in ranges)
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))


@_some
@given(_ranges())
def test_every_range_is_one_that_google_takes(cidr: IPv4Network):
    parts = plan(cidr)
    assert parts.pods.prefixlen <= 21, "the least of GKE's pod ranges"
    assert 16 <= parts.services.prefixlen <= 27
    assert parts.private_services.prefixlen <= 24, "the least of private services access"
    assert 23 <= parts.proxies.prefixlen <= 26, "a proxy-only subnet"
    assert parts.control_plane.prefixlen == 28


@_some
@given(_per_node)
def test_a_node_takes_the_least_power_of_two_that_is_twice_its_pods(pods: int):
    size = block(pods)
    assert size >= 2 * pods > size // 2
    assert size & (size - 1) == 0


@pytest.mark.parametrize(
    ("pods", "length"), [(8, 28), (9, 27), (16, 27), (32, 26), (64, 25), (110, 24), (256, 23)]
)
def test_blocks_are_those_of_googles_table(pods: int, length: int):
    assert block(pods) == 2 ** (32 - length)


@_some
@given(_ranges(), _pods, _nodes, _per_node)
def test_what_is_asked_for_has_addresses_or_the_error_says_so(
    cidr: IPv4Network, pods: int, nodes: int | None, per_node: int
):
    reason = too_small(cidr, pods, nodes, per_node)
    parts, wanted = plan(cidr), needed_nodes(pods, nodes, per_node)
    if reason is None:
        assert wanted * block(per_node) <= parts.pods.num_addresses
        assert wanted <= parts.nodes.num_addresses - RESERVED
        assert wanted * per_node >= pods
        assert wanted >= (nodes or 0)
    else:
        assert wanted > capacity(cidr, per_node).nodes
        assert f"{capacity(cidr, per_node).nodes} nodes" in reason


@_some
@given(_ranges(), _pods, _nodes, _per_node)
def test_what_the_error_says_would_be_enough_is_enough(
    cidr: IPv4Network, pods: int, nodes: int | None, per_node: int
):
    reason = too_small(cidr, pods, nodes, per_node)
    if reason and "would be enough" in reason:
        larger = cidr.supernet(new_prefix=int(reason.split("a range of /")[1].split()[0]))
        assert too_small(larger, pods, nodes, per_node) is None


def test_the_plan_of_a_sixteen():
    parts = plan(IPv4Network("10.0.0.0/16"))
    assert [str(part) for part in (parts.pods, parts.services, parts.nodes)] == [
        "10.0.0.0/17",
        "10.0.128.0/20",
        "10.0.144.0/20",
    ]
    assert capacity(IPv4Network("10.0.0.0/16"), 64).nodes == 256
    assert capacity(IPv4Network("10.0.0.0/16"), 110).nodes == 128


def test_more_nodes_than_any_cluster_has_are_told_the_most():
    reason = too_small(IPv4Network("10.0.0.0/16"), 2_000_000, None, 64)
    assert reason is not None
    assert reason.endswith("a GKE cluster has at most 15000 nodes")


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "10.0.0.0/21"])
def test_a_plan_that_cannot_be_made_is_refused(cidr: str):
    with pytest.raises(ValueError, match="expected a range of /9 to /20"):
        plan(IPv4Network(cidr))
