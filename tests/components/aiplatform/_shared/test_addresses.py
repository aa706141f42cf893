"""Rules for address ranges."""

import pytest

from aiplatform._shared.addresses import (
    any_range,
    not_the_internet,
    overlap,
    private_range,
    reachable_from_outside,
)


@pytest.mark.parametrize(
    "ranges",
    [
        ["0.0.0.0/0"],
        ["::/0"],
        ["0.0.0.0/1", "128.0.0.0/1"],
        ["192.52.193.0/24", "0.0.0.0/1"],
        [f"{first}.0.0.0/8" for first in range(256)],
        [f"{first}.0.0.0/8" for first in range(1, 256, 2)],
        ["::/1", "8000::/1"],
        ["2000::/3"],
    ],
)
def test_the_whole_internet_is_found_in_one_piece_and_in_many(ranges: list[str]):
    assert not_the_internet(ranges) is not None


def test_offices_and_vpns_are_not_the_internet():
    assert not_the_internet(["192.52.193.0/24", "192.31.196.7/32", "2001:db8::/48"]) is None


@pytest.mark.parametrize(
    "never", ["203.0.113.0/24", "198.51.100.7/32", "192.0.2.0/28", "10.0.0.0/8", "127.0.0.1/32"]
)
def test_addresses_that_no_request_comes_from_are_refused(never: str):
    assert "not routed on the internet" in str(reachable_from_outside(never)), (
        "EKS refuses them for a public endpoint"
    )


def test_a_range_with_host_bits_names_the_one_that_was_meant():
    assert "did you mean '10.0.0.0/16'?" in str(any_range("10.0.3.0/16"))
    assert "did you mean '10.0.0.0/16'?" in str(private_range(16, 20)("10.0.3.0/16"))


@pytest.mark.parametrize("wrong", ["8.8.0.0/16", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0", "fd00::/16", "x"])
def test_only_private_ipv4_ranges_of_the_right_size_are_a_network(wrong: str):
    assert private_range(16, 20)(wrong) is not None


def test_overlap_is_found_whichever_is_larger():
    assert overlap("10.0.0.0/16", "10.0.128.0/20")
    assert overlap("10.0.128.0/20", "10.0.0.0/16")
    assert not overlap("10.0.0.0/16", "10.1.0.0/16")
    assert not overlap("10.0.0.0/16", "fd00::/8")
