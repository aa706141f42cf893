"""The plan of a pool's node pools on GKE."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from aiplatform._shared.args import ArgumentError, read
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.capacity import WAITS
from aiplatform.gpu_pool.gcp import nodes
from aiplatform.gpu_pool.gcp.interfaces import interfaces
from aiplatform.gpu_pool.gcp.plan import plan, zones_for
from tests.components.aiplatform.pools import GOOGLE_CLUSTER, GOOGLE_NETWORK, GOOGLE_ZONES, US_EAST5

A, B, C = GOOGLE_ZONES


def settings(**more: Any) -> GpuPoolSettings:
    arguments: dict[str, Any] = {
        "prefix": "acme-dev",
        "name": "train",
        "cluster": GOOGLE_CLUSTER,
        "network": GOOGLE_NETWORK,
        "accelerator": "l4",
        "count": 1,
        **more,
    }
    return read(GpuPoolSettings, arguments, "GpuPoolArgs")


def problems(pool: GpuPoolSettings, offerings: dict[str, frozenset[str]]) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        zones_for(pool, plan(pool), offerings)
    return [str(problem) for problem in caught.value.problems]


def test_the_minimum_is_in_the_first_entry_that_can_have_one() -> None:
    pool = settings(capacity=[{"type": "flex_start"}, {"type": "spot"}, {"type": "on_demand"}], min=2, max=4)
    plans = plan(pool)
    assert [(pool_plan.key, pool_plan.minimum, pool_plan.maximum) for pool_plan in plans] == [
        ("flex", 0, 4),
        ("spot", 2, 4),
        ("on-demand", 0, 4),
    ]
    assert [pool_plan.priority for pool_plan in plans] == [100, 90, 80]


def test_each_slice_of_several_nodes_is_a_separate_node_pool() -> None:
    pool = settings(accelerator="tpu-v6e", count=4, topology="4x8", min=1, max=3, capacity=[{"type": "spot"}])
    plans = plan(pool)
    assert [
        (pool_plan.key, pool_plan.minimum, pool_plan.maximum, pool_plan.stays) for pool_plan in plans
    ] == [
        ("spot-0", 8, 8, True),
        ("spot-1", 0, 8, False),
        ("spot-2", 0, 8, False),
    ]
    assert len({pool_plan.priority for pool_plan in plans}) == 1


def test_a_pool_uses_all_zones_of_the_network_that_offer_its_machine() -> None:
    pool = settings()
    offered = {"g2-standard-4": frozenset({A, C})}
    assert zones_for(pool, plan(pool), offered) == {"on-demand": (A, C)}


def test_with_gpudirect_all_entries_are_in_one_zone_that_offers_the_machine() -> None:
    pool = settings(accelerator="h200", count=8, capacity=[{"type": "spot"}, {"type": "flex_start"}])
    offered = {"a3-ultragpu-8g": frozenset({B})}
    assert zones_for(pool, plan(pool), offered) == {"spot": (B,), "flex": (B,)}


def test_with_gpudirect_a_reservation_decides_the_zone_of_all_entries() -> None:
    entry = {"type": "reserved", "reservation_id": "mine", "zone": C}
    pool = settings(accelerator="h200", count=8, capacity=[{"type": "spot"}, entry])
    offered = {"a3-ultragpu-8g": frozenset(GOOGLE_ZONES)}
    assert set(zones_for(pool, plan(pool), offered).values()) == {(C,)}


def test_flex_start_of_tpus_is_in_the_zones_that_sell_it() -> None:
    everywhere = {"ct6e-standard-4t": frozenset({"us-east5-a", "us-east5-b", "us-east5-c"})}
    kinds: dict[str, Any] = {"capacity": [{"type": "spot"}, {"type": "flex_start"}]}
    pool = settings(**US_EAST5, accelerator="tpu-v6e", count=4, **kinds)
    assert zones_for(pool, plan(pool), everywhere) == {
        "spot": ("us-east5-c", "us-east5-a", "us-east5-b"),
        "flex": ("us-east5-a", "us-east5-b"),
    }
    named = settings(**US_EAST5, accelerator="tpu-v6e", count=4, zones=["us-east5-b", "us-east5-c"], **kinds)
    assert zones_for(named, plan(named), everywhere)["flex"] == ("us-east5-b",)
    whole = settings(**US_EAST5, accelerator="tpu-v6e", count=4, topology="4x4", **kinds)
    plans = zones_for(whole, plan(whole), everywhere)
    assert set(plans.values()) == {("us-east5-a",)}, "slices of all entries are in one zone"
    assert problems(pool, {"ct6e-standard-4t": frozenset({"us-east5-c"})}) == [
        "GpuPoolArgs.network.zones: no zone of the network offers ct6e-standard-4t by flex-start; no zone "
        "of it does"
    ]


def test_a_zone_without_the_machine_is_refused_with_those_that_have_it() -> None:
    offered = {"g2-standard-4": frozenset({A})}
    assert problems(settings(zones=[A, B]), offered) == [
        f"GpuPoolArgs.zones[1]: got '{B}', which does not offer g2-standard-4; "
        f"zones of the network that do: {A}"
    ]
    entry = {"type": "reserved", "reservation_id": "mine", "zone": C}
    assert problems(settings(capacity=[entry]), offered)[0].startswith(
        f"GpuPoolArgs.capacity[0].zone: got '{C}', which does not offer g2-standard-4"
    )
    assert problems(settings(), {}) == [
        "GpuPoolArgs.network.zones: no zone of the network offers g2-standard-4; no zone of it does"
    ]


def test_the_networks_of_each_fabric_do_not_overlap_and_are_as_many_as_the_cards() -> None:
    assert len(interfaces("p", "tcpx", "192.168.0.0/16")) == 4
    assert len({interface.vpc for interface in interfaces("p", "tcpxo", "192.168.0.0/16")}) == 8
    rdma = interfaces("p", "rdma", "10.9.0.0/20")
    assert [interface.vpc for interface in rdma] == [0, *[1] * 8], (
        "the host's second card, and eight in one VPC"
    )
    assert len({interface.cidr for interface in rdma}) == 9
    assert rdma[0].cidr == "10.9.0.0/24"


KINDS = ["spot", "on_demand", "flex_start", "queued"]


@limits(max_examples=40)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True),
    most=st.integers(1, 10),
    card=st.sampled_from([("l4", 1), ("a100", 8), ("tpu-v5e", 4)]),
    topology=st.sampled_from([None, "2x4", "4x4"]),
    offering=st.sets(st.sampled_from(GOOGLE_ZONES)),
)
def test_every_plan_is_ordered_and_in_zones_that_offer_its_machine(
    kinds: list[str], most: int, card: tuple[str, int], topology: str | None, offering: set[str]
) -> None:
    if card[0] == "tpu-v5e":
        # No zone here sells TPUs by flex-start.
        kinds = [kind for kind in kinds if kind not in WAITS] or ["spot"]
    else:
        topology = None
    pool = settings(
        accelerator=card[0],
        count=card[1],
        capacity=[{"type": kind} for kind in kinds],
        max=most,
        topology=topology,
    )
    plans = plan(pool)
    assert [pool_plan.priority for pool_plan in plans] == sorted(
        (pool_plan.priority for pool_plan in plans), reverse=True
    )
    assert len({pool_plan.key for pool_plan in plans}) == len(plans), "no two resources of one name"
    assert all(len(pool_plan.key) <= 11 for pool_plan in plans), "what a node pool's name has room for"
    assert {pool_plan.maximum for pool_plan in plans} == {
        nodes.slice_nodes(pool) if nodes.slice_nodes(pool) > 1 else most
    }
    offered = {machine: frozenset(offering) for machine in {pool_plan.machine.type for pool_plan in plans}}
    try:
        zones = zones_for(pool, plans, offered)
    except ArgumentError:
        assert not offering
        return
    assert all(result and set(result) <= offering for result in zones.values())
    if nodes.in_one_zone(pool):
        assert len(set(zones.values())) == 1
