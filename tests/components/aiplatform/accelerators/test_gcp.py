"""The catalog of Google Cloud, and its look-ups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiplatform import accelerators
from aiplatform.accelerators import gcp
from aiplatform.accelerators.cards import CARDS
from twin.gcp.services.compute.data import ACCELERATED

BUILT_IN = [machine for machine in gcp.MACHINES if not machine.attached]


@pytest.mark.parametrize("machine", BUILT_IN, ids=lambda machine: machine.type)
def test_the_catalog_and_the_twins_recorded_facts_agree(machine: gcp.Machine) -> None:
    # Written apart from each other, from the same documents.
    vcpus, memory, card, count, built_in, may_have, _ = ACCELERATED[machine.type]
    assert (machine.vcpus, machine.memory_gib, machine.count) == (vcpus, memory, count)
    assert gcp.ACCELERATOR_TYPES[machine.accelerator] == card
    assert machine.local_ssds == (built_in if machine.ssds_built_in else min(may_have, machine.local_ssds))
    assert machine.ssds_built_in == bool(built_in)


def test_every_card_has_google_clouds_name_and_every_mig_card_partitions() -> None:
    assert set(gcp.ACCELERATOR_TYPES) == set(accelerators.offered("gcp"))
    for card, sizes in gcp.PARTITIONS.items():
        for profile, number in sizes.items():
            assert CARDS[card].mig[profile] == number, f"NVIDIA makes as many of {profile} of {card}"


def test_machines_with_fewer_than_eight_h100_are_sold_temporarily_only() -> None:
    for count in (1, 2, 4):
        (machine,) = accelerators.gcp_machines("h100", count)
        assert machine.type == f"a3-highgpu-{count}g"
        assert machine.sold == {"spot", "flex_start", "queued"}
    assert "on_demand" in accelerators.gcp_machines("h100", 8)[0].sold


def test_the_preferred_machine_is_the_smallest_of_its_kind() -> None:
    for card in accelerators.offered("gcp"):
        for count in accelerators.counts(card, "gcp"):
            first, *others = accelerators.gcp_machines(card, count)
            assert all(other.vcpus >= first.vcpus for other in others), (card, count)


def test_every_price_has_its_region_and_source() -> None:
    prices = [machine.price for machine in gcp.MACHINES if machine.price is not None]
    assert len(prices) > 25
    assert all(price.usd_per_hour > 0 and price.region and price.date and price.source for price in prices)
    assert accelerators.gcp_machines("h200", 8)[0].price is None, "no public record gives it"


def test_an_accelerator_of_the_other_cloud_is_refused_with_the_offered_ones() -> None:
    message = accelerators.offered_problem("a10g", "gcp") or ""
    assert message.startswith("which Google Cloud does not have; expected one of t4, l4, a100")
    assert accelerators.offered_problem("tpu-v5e", "aws") is not None
    assert accelerators.count_problem("l4", 3, "gcp") == (
        "Google Cloud has no machine type with 3 l4; expected 1, 2, 4 or 8"
    )


@pytest.mark.parametrize(
    ("written", "meant"), [("v6e", "tpu-v6e"), ("v5litepod", "tpu-v5e"), ("H100-Mega", "h100-mega")]
)
def test_another_name_of_an_accelerator_suggests_the_catalogs_name(written: str, meant: str) -> None:
    assert f"did you mean '{meant}'?" in (accelerators.key_problem(written) or "")


def test_only_nodes_of_four_chips_make_slices_of_several_nodes() -> None:
    assert gcp.topology_problem("tpu-v5e", 4, "4x4") is None
    assert gcp.topology_problem("tpu-v6e", 8, "2x4") is None
    assert gcp.topology_problem("tpu-v6e", 8, "4x4") == (
        "expected a topology of nodes with 8 tpu-v6e: 2x4; slices of several nodes need nodes with 4 chips"
    )
    assert "2x2, 2x4, 4x4" in (gcp.topology_problem("tpu-v5e", 4, "3x3") or "")


@given(st.sampled_from(["tpu-v5e", "tpu-v6e"]), st.sampled_from([1, 4, 8]), st.text("1248x6", max_size=6))
def test_a_topology_is_refused_or_made_of_whole_nodes(card: str, count: int, topology: str) -> None:
    if gcp.topology_problem(card, count, topology) is not None:
        return
    rows, columns = (int(side) for side in topology.split("x"))
    assert rows * columns == count * gcp.nodes_of(topology, count)
