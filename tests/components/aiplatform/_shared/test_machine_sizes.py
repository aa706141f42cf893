"""Sizes of machines by their names, against what the clouds report."""

from __future__ import annotations

import pytest

from aiplatform._shared.machine_sizes import UNKNOWN, machine_size, smallest_size
from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.gcp.services.compute.capacity import machine_types

FAMILIES = [
    *("m5", "m5a", "m5zn", "m6g", "m6i", "m6idn", "m7g", "m7i", "m7i-flex", "m8g"),
    *("c5", "c5n", "c6g", "c6gn", "c6i", "c7g", "c7i", "c7i-flex", "r5", "r6g", "r7i"),
]
SIZES = ["medium", "large", "xlarge", "2xlarge", "8xlarge", "24xlarge", "metal"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_size_on_aws_is_what_ec2_reports(family: str) -> None:
    known = {
        name: info for name in (f"{family}.{size}" for size in SIZES) if (info := instance_type_info(name))
    }
    assert known, "EC2 has types of the family"
    for name, info in known.items():
        reported = (info["VCpuInfo"]["DefaultVCpus"], info["MemoryInfo"]["SizeInMiB"] / 1024)
        assert machine_size(name) in (reported, UNKNOWN), name
    assert family == "c5n" or machine_size(f"{family}.2xlarge") != UNKNOWN


def test_a_size_on_google_cloud_is_what_compute_engine_reports() -> None:
    compared = 0
    for name, machine in machine_types().items():
        size = machine_size(name)
        if size != UNKNOWN:
            assert size == (machine.cpus, pytest.approx(machine.memory_mib / 1024, abs=0.01)), name
            compared += 1
    assert compared > 100


@pytest.mark.parametrize("name", ["t3.large", "m5.metal", "x2gd.large", "m4.large", "e2-medium", "nonsense"])
def test_a_name_without_a_size_is_not_known(name: str) -> None:
    assert machine_size(name) == UNKNOWN


def test_the_smallest_of_several_counts_and_one_that_is_not_known_makes_all_so() -> None:
    assert smallest_size(["m7i.2xlarge", "c7i.4xlarge"]) == (8, 32.0)
    assert smallest_size(["m7i.2xlarge", "t3.large"]) == UNKNOWN
