"""The catalog against EC2's own answers, and its look-ups."""

import gzip
import json
from pathlib import Path
from typing import Any

import moto
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiplatform import accelerators
from aiplatform.accelerators.aws import BOTTLEROCKET_MIG_MODELS, MACHINES, PODS_WITH_EFA, Machine
from aiplatform.accelerators.cards import ALSO_CALLED, CARDS

RECORDED = Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz"
TYPES: dict[str, Any] = json.loads(gzip.decompress(RECORDED.read_bytes()))


def _device(facts: dict[str, Any]) -> dict[str, Any]:
    devices = (facts.get("GpuInfo") or {}).get("Gpus") or facts["NeuronInfo"]["NeuronDevices"]
    assert len(devices) == 1, "a machine of the catalog carries one model of card"
    return devices[0]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.type)
def test_every_machine_agrees_with_describe_instance_types(machine: Machine) -> None:
    facts = TYPES[machine.type]
    device, network = _device(facts), facts["NetworkInfo"]
    assert device["Name"] == machine.card.product
    assert device["Count"] == machine.count
    assert device["MemoryInfo"]["SizeInMiB"] == machine.card.memory_mib
    assert facts["VCpuInfo"]["DefaultVCpus"] == machine.vcpus
    assert facts["MemoryInfo"]["SizeInMiB"] == machine.memory_gib * 1024
    assert network["MaximumNetworkCards"] == machine.network_cards
    assert (network.get("EfaInfo") or {}).get("MaximumEfaInterfaces", 0) == machine.efa_interfaces
    disks = (facts.get("InstanceStorageInfo") or {}).get("Disks") or [{"Count": 0, "SizeInGB": 0}]
    assert [(d["Count"], d["SizeInGB"]) for d in disks] == [(machine.disks.count, machine.disks.gb)]
    assert ("capacity-block" in facts["SupportedUsageClasses"]) == machine.capacity_block
    assert facts["ProcessorInfo"]["SupportedArchitectures"] == [machine.architecture]
    assert {"spot", "on-demand"} <= set(facts["SupportedUsageClasses"]), "each is sold as spot and on demand"


@pytest.mark.parametrize("machine", [m for m in MACHINES if m.card.neuron_cores], ids=lambda m: m.type)
def test_neuron_cores_agree_with_describe_instance_types(machine: Machine) -> None:
    assert _device(TYPES[machine.type])["CoreInfo"]["Count"] == machine.card.neuron_cores


def test_every_efa_interface_has_a_separate_network_card() -> None:
    for machine in MACHINES:
        assert machine.efa_interfaces in (0, machine.network_cards), (
            f"{machine.type}: the pool puts one EFA interface on each card"
        )


def test_the_first_network_card_supports_the_primary_and_an_efa_interface() -> None:
    for machine in MACHINES:
        first = TYPES[machine.type]["NetworkInfo"]["NetworkCards"][0]
        assert not machine.efa_interfaces or first["MaximumNetworkInterfaces"] >= 2, machine.type


def test_the_preferred_machine_is_the_smallest_of_its_kind() -> None:
    for card in CARDS:
        for count in accelerators.aws_counts(card):
            first, *others = accelerators.aws_machines(card, count)
            for other in others:
                assert other.vcpus >= first.vcpus, "the autoscaler plans with the first"
                assert other.memory_gib >= first.memory_gib


def test_every_accelerator_is_offered_on_a_cloud() -> None:
    assert all(accelerators.counts(card, "aws") or accelerators.counts(card, "gcp") for card in CARDS)


def test_every_price_has_its_region_date_and_source() -> None:
    priced = [machine.price for machine in MACHINES if machine.price]
    assert len(priced) >= 40, "prices are the rule, their absence the exception"
    assert all(p.usd_per_hour > 0 and p.region and len(p.date) == 10 and p.source for p in priced)


def test_the_slices_of_a_mig_profile_fit_the_seven_of_a_card() -> None:
    for card in CARDS.values():
        for profile, number in card.mig.items():
            slices = int(profile.split("g.")[0])
            memory_gb = int(profile.split(".")[1].removesuffix("gb"))
            assert slices * number <= 7
            assert memory_gb * number * 10**9 <= card.memory_mib * 2**20 * 1.05, f"{card.key} {profile}"
    assert set(BOTTLEROCKET_MIG_MODELS) <= {key for key, card in CARDS.items() if card.mig}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("h100s", "h100"),
        ("H100", "h100"),
        ("a10", "a10g"),
        ("trn1", "trainium"),
        ("nvidia-l4", "l4"),
        ("p5", "h100"),
    ],
)
def test_an_unknown_accelerator_suggests_the_nearest(written: str, meant: str) -> None:
    assert f"did you mean '{meant}'?" in (accelerators.key_problem(written) or "")


def test_a_count_that_aws_does_not_have_lists_those_it_has() -> None:
    assert accelerators.count_problem("h100", 4) == "AWS has no instance type with 4 h100; expected 1 or 8"
    with pytest.raises(ValueError, match="expected 1, 4 or 8"):
        accelerators.aws_machines("t4", 2)


def test_a_mig_profile_of_another_card_is_refused() -> None:
    assert "a100-80" in (accelerators.mig_problem("l4", "1g.5gb") or ""), "names the cards that have MIG"
    assert accelerators.mig_problem("h100", "1g.5gb") == (
        "expected a profile of h100: 1g.10gb, 1g.20gb, 2g.20gb, 3g.40gb, 4g.40gb, 7g.80gb"
    )
    assert accelerators.mig_problem("a100", "1g.5gb") is None


def test_another_name_of_an_accelerator_is_no_catalog_name() -> None:
    assert not set(ALSO_CALLED) & set(CARDS)
    assert set(ALSO_CALLED.values()) <= set(CARDS)


@given(st.text(max_size=30))
def test_any_word_is_an_accelerator_or_gets_an_error_with_the_accelerators(word: str) -> None:
    problem = accelerators.key_problem(word)
    assert (problem is None) == (word in CARDS)
    assert problem is None or "h100" in problem


def test_where_efa_leaves_fewer_addresses_than_eks_counts_on_the_number_is_known() -> None:
    recorded: dict[str, Any] = json.loads(gzip.decompress(RECORDED.read_bytes()))
    fewer: dict[str, int] = {}
    for machine in MACHINES:
        if machine.efa_interfaces and machine.type in recorded:
            network = recorded[machine.type]["NetworkInfo"]
            first = network["NetworkCards"][network.get("DefaultNetworkCardIndex", 0)]
            interfaces, addresses = (
                first["MaximumNetworkInterfaces"],
                network["Ipv4AddressesPerInterface"] - 1,
            )
            counted = min(interfaces * addresses + 2, 110 if machine.vcpus <= 30 else 250)
            left = (interfaces - 1) * addresses + 2
            if left < counted:
                fewer[machine.type] = left
    assert fewer == PODS_WITH_EFA, "a Pod beyond the addresses is placed and never starts"
