"""Machine types, cards and zones."""

from __future__ import annotations

import pytest

from twin.gcp.services.compute import capacity
from twin.gcp.services.compute import data as compute


@pytest.mark.parametrize(
    ("name", "cpus", "memory_mib", "card", "count", "ssds"),
    [
        ("e2-standard-4", 4, 16_384, "", 0, 0),
        ("n1-standard-8", 8, 30_720, "", 0, 0),
        ("c3-standard-8-lssd", 8, 32_768, "", 0, 2),
        ("g2-standard-48", 48, 196_608, "nvidia-l4", 4, 0),
        ("a2-ultragpu-8g", 96, 1_392_640, "nvidia-a100-80gb", 8, 8),
        ("a3-highgpu-8g", 208, 1_916_928, "nvidia-h100-80gb", 8, 16),
        ("a3-megagpu-8g", 208, 1_916_928, "nvidia-h100-mega-80gb", 8, 16),
        ("a4-highgpu-8g", 224, 4_063_232, "nvidia-b200", 8, 32),
        ("ct6e-standard-4t", 180, 737_280, "tpu-v6e-slice", 4, 0),
        ("n2-custom-8-16384", 8, 16_384, "", 0, 0),
        ("custom-2-4096", 2, 4096, "", 0, 0),
    ],
)
def test_a_machine_type_has_its_shape(
    name: str, cpus: int, memory_mib: int, card: str, count: int, ssds: int
) -> None:
    machine_type = capacity.machine_type(name)
    assert machine_type is not None
    assert (
        machine_type.cpus,
        machine_type.memory_mib,
        machine_type.card,
        machine_type.count,
        machine_type.ssds,
    ) == (
        cpus,
        memory_mib,
        card,
        count,
        ssds,
    )


@pytest.mark.parametrize("name", ["e2-standard-3", "n2-custom-7-16384", "a3-highgpu-16g", "", "custom-0-256"])
def test_what_is_no_machine_type_is_none(name: str) -> None:
    assert capacity.machine_type(name) is None


def test_zones_offer_what_they_have() -> None:
    assert capacity.offered("a4-highgpu-8g", "us-central1-b")
    assert not capacity.offered("a4-highgpu-8g", "us-central1-a")
    assert capacity.offered("n2-custom-8-16384", "europe-west4-a")
    assert not capacity.offered("n1-standard-4", "us-east5-a")
    assert "us-central1-f" in capacity.cards()["nvidia-tesla-t4"]
    assert capacity.region_of("us-central1-a") == "us-central1"
    assert not capacity.is_zone("us-central1-e")


def test_every_place_in_the_facts_is_a_zone() -> None:
    known = set(capacity.zones())
    for name in capacity.machine_types():
        assert capacity.machine_zones(name) <= known, name
    for card, zones in capacity.cards().items():
        assert zones, card
        assert zones <= known, card
    assert set(compute.ATTACHABLE) <= set(capacity.cards())


def test_hyperdisk_machines_boot_from_no_persistent_disk() -> None:
    assert capacity.boot_disk_type("n4-standard-4") == "hyperdisk-balanced"
    assert not capacity.takes_disk("a3-ultragpu-8g", "pd-ssd")
    assert not capacity.takes_disk("ct6e-standard-4t", "pd-balanced")
    assert not capacity.takes_disk("e2-standard-4", "hyperdisk-balanced")
    assert capacity.takes_disk("c3-standard-8", "pd-balanced")
