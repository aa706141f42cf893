"""The plan of a GPU pool, for all that the arguments allow."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aiplatform import accelerators
from aiplatform._shared.args import ArgumentError, read
from aiplatform._shared.outputs import plain
from aiplatform.accelerators.aws import MACHINES
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import nodes
from aiplatform.gpu_pool.aws.plan import instance_types, plan
from tests.components.aiplatform.pools import CLUSTER, NETWORK, ZONES

ENTRIES = st.lists(
    st.one_of(
        st.just({"type": "spot"}),
        st.just({"type": "on_demand"}),
        st.builds(
            lambda number, zone, block: {
                "type": "reserved",
                "reservation_id": f"cr-{number:017x}",
                "zone": zone,
                "capacity_block": block,
            },
            st.integers(1, 3),
            st.sampled_from(ZONES),
            st.booleans(),
        ),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda entry: str(entry.get("reservation_id", entry["type"])),
)
POOLS = st.builds(
    lambda machine, capacity, low, more, efa, placement: {
        "prefix": "acme-dev",
        "name": "gpu",
        "cluster": CLUSTER,
        "network": NETWORK,
        "accelerator": machine.accelerator,
        "count": machine.count,
        "capacity": capacity,
        "min": low,
        "max": low + more,
        "efa": efa,
        "placement_group": placement,
    },
    st.sampled_from(MACHINES),
    ENTRIES,
    st.integers(0, 3),
    st.integers(1, 3),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, True, False]),
)
OFFERINGS = st.fixed_dictionaries(
    {machine.type: st.frozensets(st.sampled_from([*ZONES, "euc1-az9"])) for machine in MACHINES}
)


@settings(max_examples=150)
@given(POOLS, OFFERINGS)
def test_every_plan_is_in_zones_that_offer_its_types_and_keeps_the_order(
    arguments: dict[str, Any], offerings: dict[str, frozenset[str]]
) -> None:
    try:
        pool = read(GpuPoolSettings, arguments, "GpuPoolArgs")
        groups = plan(pool, offerings)
    except ArgumentError:
        return
    assert [group.entry for group in groups] == pool.capacity
    assert [g.priority for g in groups] == sorted({g.priority for g in groups}, reverse=True), "no two alike"
    assert len({group.key for group in groups}) == len(groups), "no two of the same name"
    assert sum(plain(group.minimum) for group in groups) == pool.min, "what stays is bought once"
    for group in groups:
        assert 0 <= plain(group.minimum) <= plain(group.maximum)
        assert group.zones
        assert set(group.zones) <= set(ZONES), "only where the network has a subnet"
        assert {m.accelerator for m in group.machines} == {pool.accelerator}
        assert {m.count for m in group.machines} == {pool.count}
        assert all(set(group.zones) <= offerings[m.type] for m in group.machines), "offered in every zone"
        assert {m.type for m in group.machines} <= set(instance_types(pool)), "EC2 was asked for it"
        if pool.with_efa:
            assert len({m.efa_interfaces for m in group.machines}) == 1, "one launch template fits all"
            assert group.machines[0].efa_interfaces > 0
        if pool.in_one_zone or group.entry.type == "reserved":
            assert len(group.zones) == 1
        assert not group.entry.capacity_block or all(m.capacity_block for m in group.machines)


@settings(max_examples=60)
@given(POOLS)
def test_a_node_never_has_less_than_the_autoscaler_expects(arguments: dict[str, Any]) -> None:
    try:
        pool = read(GpuPoolSettings, arguments, "GpuPoolArgs")
    except ArgumentError:
        return
    every = accelerators.aws_machines(pool.accelerator, pool.count)
    message = nodes.hidden_resources(pool, every)
    disk = int(plain(message["ephemeral-storage"]).removesuffix("Gi"))
    assert disk > 0
    for machine in every:
        assert disk < (machine.disks.total_gib if pool.raid0 else plain(pool.disk_gib))
    if pool.machine.card.neuron_cores:
        assert message["aws.amazon.com/neuron"] == str(pool.count)
