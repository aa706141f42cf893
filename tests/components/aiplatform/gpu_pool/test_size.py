"""The outputs of a GPU pool that state how large it is, for quotas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pulumi import Output

from aiplatform.gpu_pool import GpuPool
from tests.components.aiplatform.pools import (
    CLUSTER,
    GOOGLE_CLUSTER,
    GOOGLE_NETWORK,
    NETWORK,
    machine_types,
)
from tests.components.recording import record

ON_AWS: Mapping[str, Any] = {"cluster": CLUSTER, "network": NETWORK}
ON_GOOGLE: Mapping[str, Any] = {"cluster": GOOGLE_CLUSTER, "network": GOOGLE_NETWORK}
RESERVATION = {"type": "reserved", "reservation_id": "cr-0123456789abcdef0", "zone": "euc1-az1"}
KEYS = ("min_nodes", "max_nodes", "vcpus_per_node", "memory_gib_per_node")


def outputs(**more: Any) -> Mapping[str, Any]:
    arguments: Any = {"prefix": "acme-dev", "name": "pool", **more}
    recorded = record(lambda: GpuPool("gpu", arguments), answers=machine_types())
    result = recorded.one("aiplatform:index:GpuPool").outputs
    assert result is not None
    return result


def sizes(**more: Any) -> tuple[Any, ...]:
    result = outputs(**more)
    return tuple(result[key] for key in KEYS)


def test_the_maximum_counts_each_entry_and_the_minimum_one() -> None:
    capacity = [{"type": "spot", "instance_types": ["g4dn.xlarge"]}, {"type": "on_demand"}]
    pool = {"accelerator": "t4", "count": 1, "capacity": capacity, "min": 1, "max": 3}
    assert sizes(**ON_AWS, **pool) == (1, 6, 4, 16)


def test_the_smallest_machine_of_all_entries_counts() -> None:
    capacity = [{"type": "spot"}, {"type": "on_demand", "instance_types": ["g4dn.16xlarge"]}]
    pool = {"accelerator": "t4", "count": 1, "capacity": capacity}
    assert sizes(**ON_AWS, **pool)[2:] == (4, 16), "a Pod must fit on each of them"


def test_a_minimum_is_not_that_of_a_capacity_block() -> None:
    block = {**RESERVATION, "capacity_block": True}
    capacity = [block, {"type": "on_demand"}]
    pool = {"accelerator": "h100", "count": 8, "capacity": capacity, "min": 1, "max": 2}
    assert sizes(**ON_AWS, **pool)[:2] == (1, 4), "the other entry keeps it"
    assert sizes(**ON_AWS, **{**pool, "capacity": [block], "min": 0})[:2] == (0, 2)


def test_a_reservation_keeps_its_minimum() -> None:
    pool = {"accelerator": "h100", "count": 8, "capacity": [RESERVATION], "min": 2, "max": 2}
    assert sizes(**ON_AWS, **pool) == (2, 2, 192, 2048)


def test_queued_nodes_have_no_minimum() -> None:
    pool = {"accelerator": "h200", "count": 8, "capacity": [{"type": "queued"}], "max": 4}
    result = outputs(**ON_GOOGLE, **pool)
    assert (result["min_nodes"], result["max_nodes"]) == (0, 4)
    assert result["capacity_types"] == ["queued"]


def test_nodes_of_a_slice_count_each() -> None:
    pool = {"accelerator": "tpu-v6e", "count": 4, "topology": "4x4", "min": 1, "max": 3}
    result = sizes(**ON_GOOGLE, zones=["europe-west4-a"], **pool)
    assert result[:2] == (4, 12), "a slice of 4x4 is four nodes"


def test_a_maximum_that_is_an_output_stays_one() -> None:
    pool = {"accelerator": "t4", "count": 1, "capacity": [{"type": "spot"}, {"type": "on_demand"}]}
    common: Any = {"prefix": "acme-dev", "name": "pool", **ON_AWS, **pool}

    def program() -> None:
        arguments: Any = {**common, "max": Output.from_input(3)}
        GpuPool("gpu", arguments)

    recorded = record(program)
    result = recorded.one("aiplatform:index:GpuPool").outputs
    assert result is not None
    assert result["max_nodes"] == 6


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ({**ON_AWS, "accelerator": "h100", "count": 8}, "topology.k8s.aws/network-node-layer-1"),
        ({**ON_AWS, "accelerator": "trainium", "count": 16}, "topology.k8s.aws/network-node-layer-1"),
        ({**ON_AWS, "accelerator": "t4", "count": 1}, None),
        (
            {**ON_GOOGLE, "accelerator": "h100", "count": 8, "capacity": [{"type": "spot"}]},
            "cloud.google.com/gce-topology-block",
        ),
        ({**ON_GOOGLE, "accelerator": "l4", "count": 1}, None),
    ],
    ids=["eks-h100", "eks-trainium", "eks-t4", "gke-h100", "gke-l4"],
)
def test_only_machines_that_the_cloud_labels_have_topology_labels(
    pool: Mapping[str, Any], expected: str | None
) -> None:
    labels = outputs(**pool)["topology_labels"]
    assert (labels[0] if labels else None) == expected
    assert not any(label.endswith("layer-4") for label in labels), "types with three layers lack it"
