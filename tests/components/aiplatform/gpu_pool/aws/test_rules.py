"""What a GPU pool refuses, before anything is registered on AWS."""

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.gpu_pool import GpuPool
from tests.components.aiplatform.pools import CLUSTER, NETWORK, Answers, offering
from tests.components.recording import record

CR = "cr-0123456789abcdef0"


def problems(answers: Answers | None = None, **more: Any) -> list[str]:
    """The problems of a pool with these arguments; a T4 pool without."""
    arguments: Any = {
        "prefix": "acme-dev",
        "name": "gpu",
        "cluster": CLUSTER,
        "network": NETWORK,
        "accelerator": "t4",
        "count": 1,
        **more,
    }
    with pytest.raises(ArgumentError) as caught:
        record(lambda: GpuPool("gpu", arguments), answers=answers)
    return [str(problem) for problem in caught.value.problems]


KARPENTER = {"node_provisioning": "karpenter"}
CLAIMS: dict[str, Any] = {"device_allocation": "dra", "min": 2, "max": 2}

REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"node_provisioning": "auto"},
        "GpuPoolArgs.node_provisioning: got 'auto'; expected one of cluster_autoscaler",
    ),
    (
        {**KARPENTER, "min": 1},
        "GpuPoolArgs.min: got 1; expected 0: Karpenter creates nodes for Pods, and keeps no minimum",
    ),
    (
        {**KARPENTER, "sharing": {"strategy": "time_slicing", "replicas": 4}},
        "GpuPoolArgs.sharing: got 'time_slicing' with node_provisioning 'karpenter'; expected no sharing",
    ),
    (
        {**KARPENTER, "capacity": [{"type": "on_demand", "instance_types": ["g4dn.2xlarge", "g4dn.xlarge"]}]},
        "GpuPoolArgs.capacity[0].instance_types: got ['g4dn.2xlarge', 'g4dn.xlarge']; expected one: among",
    ),
    (
        {**KARPENTER, "device_allocation": "dra"},
        "GpuPoolArgs.device_allocation: got 'dra' with node_provisioning 'karpenter'; expected 'plugin'",
    ),
    (
        {**KARPENTER, "labels": {"karpenter.sh/team": "ml"}},
        "GpuPoolArgs.labels.karpenter.sh/team: expected another domain: Karpenter refuses labels in it",
    ),
    (
        {**KARPENTER, "tags": {"karpenter.sh/nodepool": "mine"}},
        "GpuPoolArgs.tags.karpenter.sh/nodepool: expected another key: Karpenter sets this tag itself",
    ),
    (
        {**KARPENTER, "accelerator": "h100", "count": 8, "zones": ["euc1-az1", "euc1-az3"]},
        "GpuPoolArgs.zones: got ['euc1-az1', 'euc1-az3']; expected one zone: EFA does not span zones",
    ),
    (
        {"node_provisioning": "moving_to_karpenter", "min": 1},
        "GpuPoolArgs.min: got 1; expected 0: Karpenter creates nodes",
    ),
    ({"accelerator": "h10"}, "GpuPoolArgs.accelerator: got 'h10'; expected one of t4, a10g"),
    ({"accelerator": "h10"}, "did you mean 'h100'?"),
    (
        {"accelerator": "h100", "count": 4},
        "GpuPoolArgs.count: got 4, AWS has no instance type with 4 h100; expected 1 or 8",
    ),
    (
        {**CLAIMS, "sharing": {"strategy": "time_slicing", "replicas": 4}},
        "GpuPoolArgs.device_allocation: got 'dra' with sharing by time_slicing, which the device plugin "
        "does; expected 'plugin', or no sharing",
    ),
    (
        {**CLAIMS, "accelerator": "h100", "count": 8, "sharing": {"strategy": "mig", "profile": "1g.10gb"}},
        "GpuPoolArgs.device_allocation: got 'dra' with sharing by mig",
    ),
    (
        {**CLAIMS, "image": "bottlerocket"},
        "GpuPoolArgs.image: got 'bottlerocket', which always runs a device plugin; expected 'al2023'",
    ),
    (
        {**CLAIMS, "accelerator": "trainium", "count": 1},
        "GpuPoolArgs.device_allocation: got 'dra'; expected 'plugin': the platform has no driver for claims "
        "of trainium",
    ),
    (
        {**CLAIMS, "capacity": [{"type": "spot"}, {"type": "on_demand"}]},
        "GpuPoolArgs.capacity: got 2 entries; expected one entry that always has nodes",
    ),
    (
        {
            **CLAIMS,
            "accelerator": "h100",
            "count": 8,
            "capacity": [
                {"type": "reserved", "reservation_id": CR, "capacity_block": True, "zone": "euc1-az1"}
            ],
        },
        "GpuPoolArgs.capacity: got a Capacity Block; expected one entry that always has nodes",
    ),
    (
        {**CLAIMS, "max": 5},
        "GpuPoolArgs.min: got 2; expected 5, which is max: with device_allocation 'dra' the autoscaler would "
        "remove nodes whose accelerators are in use",
    ),
    ({"device_allocation": "both"}, "GpuPoolArgs.device_allocation: got 'both'; expected"),
    (
        {
            **CLAIMS,
            "taints": [{"key": "ai-platform/device-allocation", "value": "x", "effect": "NoSchedule"}],
        },
        "ai-platform/device-allocation",
    ),
    (
        {"sharing": {"strategy": "mig", "replicas": 2}},
        "GpuPoolArgs.sharing.replicas: got a value; expected none for strategy 'mig'",
    ),
    ({"min": 3, "max": 2}, "GpuPoolArgs.min: got 3; expected at most max, which is 2"),
    ({"max": 0}, "GpuPoolArgs.max: got 0; expected 1 to 450 nodes"),
    (
        {"capacity": [{"type": "spot", "reservation_id": CR}]},
        "GpuPoolArgs.capacity[0].reservation_id: got a reservation with type 'spot'; expected 'reserved': "
        "spot nodes never run in a reservation",
    ),
    ({"capacity": [{"type": "reserved"}]}, "GpuPoolArgs.capacity[0].reservation_id: missing"),
    (
        {
            "capacity": [
                {
                    "type": "reserved",
                    "reservation_id": CR,
                    "zone": "euc1-az1",
                    "instance_types": ["g4dn.xlarge", "g4dn.2xlarge"],
                }
            ]
        },
        "expected one: a reservation has one instance type",
    ),
    (
        {"capacity": [{"type": "reserved", "reservation_id": "block-1", "zone": "euc1-az1"}]},
        "GpuPoolArgs.capacity[0].reservation_id: got 'block-1'; expected a reservation's id",
    ),
    (
        {"capacity": [{"type": "reserved", "reservation_id": CR}]},
        "GpuPoolArgs.capacity[0].zone: missing; expected the zone id of the reservation",
    ),
    (
        {
            "capacity": [
                {"type": "reserved", "reservation_id": CR, "zone": "euc1-az1", "capacity_block": True}
            ]
        },
        "GpuPoolArgs.capacity[0].capacity_block: got true, but EC2 sells no Capacity Blocks of g4dn.xlarge",
    ),
    (
        {"capacity": [{"type": "on_demand", "capacity_block": True}]},
        "GpuPoolArgs.capacity[0].capacity_block: got true with type 'on_demand'; expected 'reserved'",
    ),
    (
        {
            "accelerator": "h100",
            "count": 8,
            "min": 1,
            "zones": ["euc1-az1"],
            "capacity": [{"type": "reserved", "reservation_id": CR, "capacity_block": True}],
        },
        "GpuPoolArgs.min: got 1; expected 0",
    ),
    ({"capacity": [{"type": "spot"}, {"type": "spot"}]}, "capacity[1]: 'spot' duplicates capacity[0]"),
    ({"capacity": [{"type": "on-demand"}]}, "did you mean 'on_demand'?"),
    ({"capacity": [{"type": "spot", "max_price": 1.0}]}, "GpuPoolArgs.capacity[0].max_price: unknown key"),
    (
        {"capacity": [{"type": "spot", "instance_types": ["g5.xlarge"]}]},
        "GpuPoolArgs.capacity[0].instance_types[0]: got 'g5.xlarge'; expected an instance type with 1 t4",
    ),
    (
        {"efa": True},
        "GpuPoolArgs.efa: g4dn.xlarge has no EFA; expected g4dn.16xlarge or g4dn.8xlarge in capacity[]",
    ),
    (
        {"accelerator": "inferentia2", "count": 12, "efa": True},
        "GpuPoolArgs.efa: inf2.48xlarge has no EFA",
    ),
    (
        {"accelerator": "h100", "count": 8, "zones": ["euc1-az1", "euc1-az2"]},
        "expected one zone: EFA does not span zones",
    ),
    ({"placement_group": True, "zones": ["euc1-az1", "euc1-az2"]}, "a cluster placement group does not span"),
    ({"zones": ["euc1-az9"]}, "GpuPoolArgs.zones[0]: got 'euc1-az9'; expected a zone id of the network"),
    (
        {"sharing": {"strategy": "mig", "profile": "1g.5gb"}},
        "GpuPoolArgs.sharing.strategy: got 'mig', but t4 has no MIG; accelerators with MIG: a100",
    ),
    (
        {"accelerator": "h100", "count": 8, "sharing": {"strategy": "mig", "profile": "1g.5gb"}},
        "GpuPoolArgs.sharing.profile: got '1g.5gb'; expected a profile of h100: 1g.10gb",
    ),
    (
        {
            "accelerator": "h100",
            "count": 8,
            "image": "al2023",
            "sharing": {"strategy": "mig", "profile": "1g.10gb"},
        },
        "GpuPoolArgs.image: got 'al2023'; expected 'bottlerocket' or no image with MIG",
    ),
    (
        {"accelerator": "b200", "count": 8, "sharing": {"strategy": "mig", "profile": "1g.23gb"}},
        "GpuPoolArgs.sharing.strategy: got 'mig', which Bottlerocket does not support for",
    ),
    ({"sharing": {"strategy": "time_slicing"}}, "GpuPoolArgs.sharing.replicas: missing"),
    (
        {"sharing": {"strategy": "time_slicing", "replicas": 2, "profile": "1g.5gb"}},
        "GpuPoolArgs.sharing.profile: got a value; expected none for strategy 'time_slicing'",
    ),
    ({"sharing": {"strategy": "time_slicing", "replicas": 99}}, "expected 2 to 64 containers a card"),
    (
        {"accelerator": "trainium", "count": 1, "sharing": {"strategy": "time_slicing", "replicas": 2}},
        "GpuPoolArgs.sharing: trainium cannot be shared",
    ),
    (
        {"accelerator": "trainium", "count": 1, "image": "bottlerocket"},
        "GpuPoolArgs.image: got 'bottlerocket'; expected 'al2023'",
    ),
    (
        {"accelerator": "inferentia2", "count": 1, "instance_store": "raid0"},
        "GpuPoolArgs.instance_store: got 'raid0', but inf2.xlarge has no instance store",
    ),
    ({"name": "a-name-that-is-too-long-for-aws"}, "GpuPoolArgs.name: got 'a-name-that-is-too-long-for-aws'"),
    ({"name": "n" * 21}, "1 to 20"),
    ({"prefix": "a-very-long-organisation-name"}, "GpuPoolArgs.prefix: got"),
    (
        {"labels": {"kubernetes.io/role": "gpu"}},
        "GpuPoolArgs.labels.kubernetes.io/role: expected another domain",
    ),
    ({"labels": {"eks.amazonaws.com/x": "y"}}, "'eks.amazonaws.com' is reserved for EKS"),
    ({"labels": {"ai-platform/pool": "x"}}, "set by the pool itself"),
    ({"labels": {"nvidia.com/gpu.present": "false"}}, "the pool sets this one itself"),
    ({"labels": {"team": "two words"}}, "GpuPoolArgs.labels.team: got 'two words'; expected at most 63"),
    ({"taints": [{"key": "a b", "effect": "NoSchedule"}]}, "GpuPoolArgs.taints[0].key: got 'a b'"),
    ({"taints": [{"key": "a", "effect": "NO_SCHEDULE"}]}, "did you mean 'NoSchedule'?"),
    (
        {
            "taints": [
                {"key": "a", "effect": "NoSchedule"},
                {"key": "a", "effect": "NoSchedule", "value": "b"},
            ]
        },
        "GpuPoolArgs.taints[1]: a:NoSchedule duplicates taints[0]",
    ),
    ({"taints": [{"key": "nvidia.com/gpu", "effect": "NoExecute"}]}, "the pool sets this taint"),
    ({"network": {**NETWORK, "zones": []}}, "GpuPoolArgs.network.zones: missing"),
    ({"acelerator": "t4"}, "GpuPoolArgs.acelerator: unknown key; did you mean 'accelerator'?"),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), REFUSED, ids=[str(index) for index in range(len(REFUSED))]
)
def test_a_wrong_argument_is_refused_with_the_expected_value(
    arguments: dict[str, Any], expected: str
) -> None:
    result = problems(**arguments)
    assert any(expected in problem for problem in result), "\n".join(result)


def test_all_problems_are_reported_together() -> None:
    result = problems(
        min=3, max=2, efa=True, labels={"k8s.io/x": "y"}, sharing={"strategy": "mig", "profile": "x"}
    )
    assert [problem.split(":")[0] for problem in result] == [
        "GpuPoolArgs.min",
        "GpuPoolArgs.efa",
        "GpuPoolArgs.sharing.strategy",
        "GpuPoolArgs.labels.k8s.io/x",
    ]


def test_a_zone_that_does_not_offer_the_type_is_refused_with_those_that_do() -> None:
    answers = offering(g4dn__xlarge=("euc1-az2", "euc1-az3"))
    assert problems(answers, zones=["euc1-az3", "euc1-az1"]) == [
        "GpuPoolArgs.zones[1]: got 'euc1-az1', which does not offer g4dn.xlarge; "
        "zone ids that do: euc1-az2, euc1-az3"
    ]


def test_zones_without_a_type_in_common_are_refused() -> None:
    answers = offering(g4dn__xlarge=("euc1-az2",), g4dn__2xlarge=("euc1-az3",))
    (problem,) = problems(answers, zones=["euc1-az2", "euc1-az3"], capacity=[{"type": "spot"}])
    assert problem.startswith(
        "GpuPoolArgs.zones: got ['euc1-az2', 'euc1-az3'], but no type is offered in all"
    )
    assert "g4dn.2xlarge: euc1-az3" in problem, "says where each is"


def test_a_network_without_the_type_gets_the_zones_that_offer_it() -> None:
    answers = offering(p5__48xlarge=("euc1-az7",))
    assert problems(answers, accelerator="h100", count=8) == [
        "GpuPoolArgs.network.zones: no zone that the pool can use offers p5.48xlarge; "
        "zone ids that do: euc1-az7"
    ]
    assert problems(offering()) == [
        "GpuPoolArgs.network.zones: no zone of the network offers g4dn.xlarge; no zone of this region does"
    ]


def test_a_reservation_in_a_zone_without_the_type_is_refused() -> None:
    capacity = [{"type": "reserved", "reservation_id": CR, "zone": "euc1-az1"}]
    (problem,) = problems(offering(g4dn__xlarge=("euc1-az2",)), capacity=capacity)
    assert problem.startswith(
        "GpuPoolArgs.capacity[0].zone: got 'euc1-az1', which does not offer g4dn.xlarge"
    )


@pytest.mark.parametrize(
    ("arguments", "registered"),
    [
        ({"accelerator": "h101"}, []),
        ({"zones": ["euc1-az1"]}, ["aiplatform:index:GpuPool gpu"]),
    ],
)
def test_a_refused_pool_registers_no_resource(arguments: dict[str, Any], registered: list[str]) -> None:
    overrides: Any = {
        "prefix": "acme-dev",
        "name": "gpu",
        "cluster": CLUSTER,
        "network": NETWORK,
        "accelerator": "t4",
        "count": 1,
        **arguments,
    }

    def program() -> None:
        with pytest.raises(ArgumentError):
            GpuPool("gpu", overrides)

    assert record(program, answers=offering(g4dn__xlarge=("euc1-az2",))).names() == registered
