"""What a GPU pool refuses on Google Cloud, with the words that a user reads."""

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.gpu_pool import GpuPool
from aiplatform.gpu_pool.args import GpuPoolSettings
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, GOOGLE_NETWORK, NETWORK, machine_types
from tests.components.recording import record

WHOLE = {"accelerator": "h200", "count": 8, "capacity": [{"type": "spot"}]}
SLICE = {"accelerator": "tpu-v5e", "count": 4}


def problems(**more: Any) -> list[str]:
    arguments: dict[str, Any] = {
        "prefix": "acme-dev",
        "name": "train",
        "cluster": GOOGLE_CLUSTER,
        "network": GOOGLE_NETWORK,
        "accelerator": "l4",
        "count": 1,
        **more,
    }
    with pytest.raises(ArgumentError) as caught:
        read(GpuPoolSettings, arguments, "GpuPoolArgs")
    return [str(problem).removeprefix("GpuPoolArgs.") for problem in caught.value.problems]


def one(**more: Any) -> str:
    (problem,) = problems(**more)
    return problem


def test_claims_of_devices_are_refused() -> None:
    message = one(device_allocation="dra")
    assert message.startswith("device_allocation: ")
    assert "for claims GKE neither installs drivers nor adds nodes by itself; leave it out" in message


@pytest.mark.parametrize("kind", ["flex_start", "queued", "spot"])
def test_spot_and_queued_capacity_with_a_reservation_is_refused(kind: str) -> None:
    message = one(capacity=[{"type": kind, "reservation_id": "mine"}])
    assert message == (
        f"capacity[0].reservation_id: got a reservation with type '{kind}'; expected 'reserved': "
        f"{kind} nodes never run in a reservation"
    )


def test_an_entry_with_both_flex_start_and_spot_is_refused() -> None:
    message = one(capacity=[{"type": "flex_start", "spot": True}])
    assert message.startswith("capacity[0].spot: unknown key")


@pytest.mark.parametrize("kind", ["flex_start", "queued"])
def test_flex_start_of_tpus_where_google_does_not_sell_it_is_refused(kind: str) -> None:
    tpus = {"accelerator": "tpu-v6e", "count": 4, "capacity": [{"type": kind}]}
    assert one(**tpus) == (
        f"capacity[0].type: got '{kind}', but Google Cloud sells tpu-v6e by flex-start in asia-northeast1-b, "
        "us-east5-a, us-east5-b only, and the network's zones are europe-west4-a, europe-west4-b, "
        "europe-west4-c: expected reserved, spot or on_demand"
    )
    assert "and the pool's zones are europe-west4-b:" in one(**tpus, zones=["europe-west4-b"])


def test_a_machine_that_is_only_sold_temporarily_is_refused_on_demand() -> None:
    assert one(accelerator="h100", count=1) == (
        "capacity[0].type: got 'on_demand', but Google Cloud sells a3-highgpu-1g only as spot, flex_start, "
        "queued"
    )
    entry = {"type": "reserved", "reservation_id": "mine", "zone": "europe-west4-a"}
    assert "only as spot" in one(accelerator="h100", count=4, capacity=[entry])
    assert "a4-highgpu-8g only as reserved, spot" in one(accelerator="b200", count=8)


def test_a_machine_with_another_accelerator_is_refused() -> None:
    message = one(accelerator="t4", capacity=[{"type": "spot", "instance_types": ["g2-standard-4"]}])
    assert message.startswith(
        "capacity[0].instance_types[0]: got 'g2-standard-4', which has L4 cards built in, and to which "
        "no t4 can be attached; expected a machine type with 1 t4: n1-standard-4"
    )
    message = one(capacity=[{"type": "spot", "instance_types": ["n1-standard-4"]}])
    assert "got 'n1-standard-4'; expected a machine type with 1 l4: g2-standard-4" in message


def test_a_node_pool_has_one_machine_type() -> None:
    types = ["g2-standard-4", "g2-standard-8"]
    assert "a node pool has one machine type" in one(capacity=[{"type": "spot", "instance_types": types}])


def test_an_unknown_count_or_accelerator_is_refused_with_the_known_ones() -> None:
    assert one(count=3) == ("count: got 3, Google Cloud has no machine type with 3 l4; expected 1, 2, 4 or 8")
    assert one(accelerator="trainium", count=1).startswith(
        "accelerator: got 'trainium', which Google Cloud does not have; expected one of t4, l4"
    )


def test_a_partition_size_that_gke_does_not_support_is_refused() -> None:
    message = one(accelerator="a100", count=1, sharing={"strategy": "mig", "profile": "4g.20gb"})
    assert message == (
        "sharing.profile: got '4g.20gb'; expected a partition size that GKE makes of a100: 1g.5gb, 2g.10gb, "
        "3g.20gb, 7g.40gb"
    )
    assert one(sharing={"strategy": "mig", "profile": "1g.5gb"}).startswith(
        "sharing.strategy: got 'mig', but l4 has no MIG"
    )
    assert "at most 48" in one(sharing={"strategy": "time_slicing", "replicas": 64})
    assert "cannot be shared" in one(**SLICE, sharing={"strategy": "time_slicing", "replicas": 2})


def test_a_topology_that_does_not_fit_is_refused() -> None:
    assert one(**SLICE, topology="3x3").startswith(
        "topology: got '3x3'; expected a topology of nodes with 4 tpu-v5e: 2x2, 2x4, 4x4"
    )
    assert "slices of several nodes need nodes with 4 chips" in one(**{**SLICE, "count": 8}, topology="4x4")
    assert "l4 is no TPU" in one(topology="2x2")
    assert one(**SLICE, topology="4x4", max=11).startswith(
        "max: got 11; expected at most 10 slices of 4 nodes"
    )


def test_gpudirect_without_multi_networking_is_refused() -> None:
    message = one(**WHOLE, cluster={**GOOGLE_CLUSTER, "multi_networking": False})
    assert message.startswith("gpudirect: the cluster has no multi-networking, which a3-ultragpu-8g needs")
    assert "or gpudirect: false" in message
    assert "g2-standard-4 has no network cards for GPUDirect" in one(gpudirect=True)


def test_a_gpudirect_range_that_overlaps_the_network_is_refused() -> None:
    message = one(**WHOLE, network={**GOOGLE_NETWORK, "cidr": "192.168.0.0/16"})
    assert message.startswith(
        "gpudirect_cidr: got '192.168.16.0/20', which overlaps the range of the cluster's network"
    ), "the default of a pool with this name"
    pods = {**GOOGLE_NETWORK, "pods_cidr": "172.16.0.0/17"}
    assert "of its pods" in one(**WHOLE, network=pods, gpudirect_cidr="172.16.64.0/20")


def test_a_gpudirect_range_that_is_too_small_is_refused() -> None:
    two = {**WHOLE, "capacity": [{"type": "spot"}, {"type": "flex_start"}]}
    message = one(**two, max=127)
    assert message.startswith("gpudirect_cidr: got '192.168.16.0/20', which has room for 252 nodes")
    assert "for the 254 that the entries of `capacity` may grow to together" in message


def test_several_zones_are_refused_where_nodes_must_be_close_together() -> None:
    zones = ["europe-west4-a", "europe-west4-b"]
    assert one(**WHOLE, zones=zones).endswith("expected one zone: GPUDirect does not span zones")
    assert "a slice of 4x4" in one(**SLICE, topology="4x4", zones=zones)
    entries = [
        {"type": "reserved", "reservation_id": name, "zone": zone}
        for name, zone in zip(("one", "two"), zones, strict=True)
    ]
    assert "expected one zone for all" in one(**{**WHOLE, "capacity": entries})


def test_a_zone_of_another_form_is_refused() -> None:
    assert one(zones=["euw4-az1"]) == (
        "zones[0]: got 'euw4-az1'; expected a zone of europe-west4 such as europe-west4-a"
    )
    assert "expected a zone of the network" in one(zones=["europe-west4-d"])
    assert "the zone of the reservation" in one(capacity=[{"type": "reserved", "reservation_id": "mine"}])


def test_a_reservation_of_another_form_is_refused() -> None:
    entry = {"type": "reserved", "reservation_id": "cr-UPPER", "zone": "europe-west4-a"}
    assert one(capacity=[entry]).startswith(
        "capacity[0].reservation_id: got 'cr-UPPER'; expected a reservation's"
    )
    for good in ("mine", "projects/other-project/reservations/mine", "mine/reservationBlocks/block-0001"):
        arguments = {"capacity": [{**entry, "reservation_id": good}], "name": "Wrong"}
        assert not [problem for problem in problems(**arguments) if "reservation" in problem]


def test_a_minimum_of_queued_capacity_is_refused() -> None:
    assert one(capacity=[{"type": "flex_start"}, {"type": "queued"}], min=1).startswith(
        "min: got 1; expected 0"
    )
    assert "expected flex_start or queued" in one(capacity=[{"type": "spot", "max_run_hours": 3}])


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("image", "al2023", "Container-Optimized OS"),
        ("efa", True, "use gpudirect"),
        ("capacity", [{"type": "reserved", "reservation_id": "a", "capacity_block": True}], "calendar"),
    ],
)
def test_an_argument_for_aws_only_is_refused_with_the_alternative(
    argument: str, value: Any, words: str
) -> None:
    message = one(**{argument: value})
    assert "which Google Cloud does not support" in message
    assert words in message


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("topology", "4x4", "no TPU"),
        ("gpudirect", True, "use efa"),
        ("gpudirect_cidr", "10.9.0.0/16", "leave it out"),
        ("capacity", [{"type": "spot", "max_run_hours": 3}], "time limit"),
        ("capacity", [{"type": "flex_start"}], "no queue for capacity"),
        ("capacity", [{"type": "queued"}], "no queue for capacity"),
    ],
)
def test_an_argument_for_google_cloud_only_is_refused_on_aws(argument: str, value: Any, words: str) -> None:
    message = " ".join(problems(cluster=CLUSTER, network=NETWORK, accelerator="t4", **{argument: value}))
    assert "which AWS does not support" in message
    assert words in message


def test_labels_reserved_for_gke_and_upper_case_tags_are_refused() -> None:
    message = one(labels={"gke-no-default-nvidia-gpu-device-plugin": "true"})
    assert "neither drivers nor device plugin" in message
    assert "is reserved for GKE" in one(labels={"cloud.google.com/gke-spot": "true"})
    assert "lower-case" in one(tags={"Team": "research"})


@pytest.mark.parametrize("name", ["gke-train", "autopilot", "default"])
def test_a_name_that_is_no_compute_class_is_refused(name: str) -> None:
    assert one(name=name).startswith(f"name: got '{name}'")


def test_the_same_capacity_twice_is_refused() -> None:
    assert one(capacity=[{"type": "spot"}, {"type": "spot"}]) == "capacity[1]: 'spot' duplicates capacity[0]"


def test_compact_placement_is_refused_where_the_machine_does_not_support_it() -> None:
    assert "n1 machines do not support compact placement" in one(accelerator="t4", placement_group=True)
    assert "already places its nodes" in one(**SLICE, placement_group=True)


def test_a_component_name_that_is_too_long_for_node_pools_is_refused() -> None:
    arguments: Any = {
        "prefix": "acme-dev",
        "name": "train",
        "cluster": GOOGLE_CLUSTER,
        "network": GOOGLE_NETWORK,
        "accelerator": "l4",
        "count": 1,
    }
    with pytest.raises(ArgumentError, match="as the component's name; expected at most 22 characters"):
        record(lambda: GpuPool("a-name-that-goes-on-for-ever", arguments), answers=machine_types())
