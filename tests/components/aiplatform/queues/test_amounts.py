"""What Pods can use of a node, and how amounts are written."""

from __future__ import annotations

import math
from typing import Any

import pytest

from aiplatform._shared.args import read
from aiplatform.accelerators.aws import MACHINES
from aiplatform.accelerators.gcp import MACHINES as GOOGLE_MACHINES
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.setup import Setup
from aiplatform.queues import amounts
from aiplatform.queues.args import Quota
from aiplatform.queues.pools import GpuPoolReference, NodePoolReference
from tests.components.aiplatform.queues import example
from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.aws.services.eks.operations.node_objects import max_pods, reserved_cpu
from twin.gcp.services.compute.capacity import machine_type
from twin.gcp.services.container.operations import allocatable


def pool(**more: Any) -> GpuPoolReference:
    return read(GpuPoolReference, example.gpu_pool(**more), "pool")


def cpu_pool(**more: Any) -> NodePoolReference:
    return read(NodePoolReference, example.cpu_pool(**more), "pool")


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.type)
def test_pods_of_a_full_quota_fit_on_a_node_of_eks(machine: Any) -> None:
    info = instance_type_info(machine.type)
    if info is None:
        pytest.skip("the twin does not know the type")
    assert amounts.usable_cpu(machine.vcpus) < machine.vcpus * 1000 - reserved_cpu(machine.vcpus)
    kubelet = 300 + int(0.015 * machine.memory_gib * 1024) + 255 + 11 * max_pods(info) + 100
    assert amounts.usable_memory(machine.memory_gib) < machine.memory_gib * 1024 - kubelet


def expected_by_karpenter(machine: Any, overhead: float) -> int:
    """Return the MiB for Pods of users that Karpenter expects on a node of a type that it has not seen
    (karpenter-provider-aws, pkg/providers/instancetype/types.go). It counts Pods by addresses, without EKS's
    limit of 110 or 250."""
    info: Any = instance_type_info(machine.type)
    network, mib = info["NetworkInfo"], info["MemoryInfo"]["SizeInMiB"]
    card = network["NetworkCards"][network.get("DefaultNetworkCardIndex", 0)]
    pods = card["MaximumNetworkInterfaces"] * (network["Ipv4AddressesPerInterface"] - 1) + 2
    daemon_sets = 1_024
    return mib - math.ceil(mib * overhead) - (255 + 11 * pods) - 100 - daemon_sets


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.type)
def test_karpenter_creates_a_node_for_pods_of_a_full_quota(machine: Any) -> None:
    if instance_type_info(machine.type) is None:
        pytest.skip("the twin does not know the type")
    overhead = VALUES["karpenter"](Setup())["settings"]["vmMemoryOverheadPercent"]
    assert amounts.usable_memory(machine.memory_gib) <= expected_by_karpenter(machine, overhead), (
        "Kueue would admit Pods for which Karpenter creates no node"
    )


def test_karpenters_default_is_too_little_for_pods_of_a_full_quota() -> None:
    large = [
        machine for machine in MACHINES if machine.memory_gib >= 256 and instance_type_info(machine.type)
    ]
    assert large
    for machine in large:
        assert amounts.usable_memory(machine.memory_gib) > expected_by_karpenter(machine, 0.075), machine.type


@pytest.mark.parametrize("machine", GOOGLE_MACHINES, ids=lambda machine: f"{machine.type}-{machine.count}")
def test_pods_of_a_full_quota_fit_on_a_node_of_gke(machine: Any) -> None:
    known = machine_type(machine.type)
    if known is None:
        pytest.skip("the twin does not know the type")
    assert amounts.usable_cpu(machine.vcpus) < allocatable.cpu(known)[1]
    assert amounts.usable_memory(machine.memory_gib) < allocatable.memory(known)[1] // 2**20


@pytest.mark.parametrize(
    ("resource", "amount", "expected"),
    [
        ("cpu", 0, "0"),
        ("cpu", 3670, "3670m"),
        ("cpu", 95_000, "95"),
        ("cpu", 2_000_000, "2k"),
        ("memory", 1536, "1536Mi"),
        ("memory", 4096, "4Gi"),
        ("memory", 2**20, "1Ti"),
        ("nvidia.com/gpu", 32, "32"),
        ("nvidia.com/gpu", 3000, "3k"),
    ],
)
def test_amounts_are_written_in_the_canonical_form_of_kubernetes(
    resource: str, amount: int, expected: str
) -> None:
    assert amounts.written(resource, amount) == expected, "else a refresh reports a difference"


def test_cpu_and_memory_belong_to_the_accelerators() -> None:
    node = amounts.per_node(pool())
    quota = amounts.nominal(pool(), Quota("training", accelerators=4))
    assert quota["nvidia.com/gpu"] == 4
    assert quota["cpu"] == node["cpu"] // 2
    assert quota["memory"] == node["memory"] // 2


def test_stated_cpu_and_memory_replace_the_part() -> None:
    quota = amounts.nominal(pool(), Quota("training", accelerators=4, cpu=10, memory_gib=64))
    assert quota == {"nvidia.com/gpu": 4, "cpu": 10_000, "memory": 64 * 1024}


def test_memory_of_a_cpu_pool_belongs_to_its_vcpus() -> None:
    node = amounts.per_node(cpu_pool())
    quota = amounts.nominal(cpu_pool(), Quota("general", cpu=8))
    assert quota == {"cpu": 8000, "memory": node["memory"] * 8000 // node["cpu"]}


def test_limits_have_the_proportions_of_the_quota() -> None:
    quota = Quota("training", accelerators=8, cpu=100, memory_gib=800)
    expected = {"nvidia.com/gpu": 4, "cpu": 50_000, "memory": 400 * 1024}
    assert amounts.limit(pool(), quota, 4) == expected


def test_a_quota_of_nothing_may_borrow_what_belongs_to_the_accelerators() -> None:
    assert amounts.limit(pool(), Quota("training", accelerators=0), 8) == amounts.per_node(pool())
