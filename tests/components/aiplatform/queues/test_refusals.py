"""What the queues refuse before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.queues import Queues
from tests.components.aiplatform.queues import example
from tests.components.aiplatform.queues.example import cpu_pool, gpu_pool, queue, queued_pool
from tests.components.recording import record

HALF = {"pool": "training", "accelerators": 16}


def problems(**more: Any) -> list[str]:
    arguments: Any = example.arguments(**more)
    with pytest.raises(ArgumentError) as refused:
        record(lambda: Queues("queues", arguments))
    return [str(problem) for problem in refused.value.problems]


def one(**more: Any) -> str:
    (problem,) = problems(**more)
    return problem


def of_quota(**quota: Any) -> str:
    return one(queues=[queue("vision", {"pool": "training", **quota}, cohort="research")])


def test_more_accelerators_than_the_pool_can_have_are_refused() -> None:
    assert of_quota(accelerators=40) == (
        "QueuesArgs.queues[0].quotas[0].accelerators: got 40 nvidia.com/gpu; expected at most 32 "
        "nvidia.com/gpu: the pool 'training' has at most 4 nodes"
    )


def test_quotas_that_are_too_much_together_are_refused() -> None:
    assert one(queues=[queue("a", HALF), queue("b", HALF), queue("c", HALF)]) == (
        "QueuesArgs.queues: the quotas of all queues and cohorts together have 48 nvidia.com/gpu of "
        "'training'; expected at most 32 nvidia.com/gpu: the pool 'training' has at most 4 nodes"
    )


def test_quotas_of_cohorts_count() -> None:
    reported = one(
        cohorts=[{"name": "research", "quotas": [{"pool": "training", "accelerators": 20}]}],
        queues=[queue("vision", HALF, cohort="research")],
    )
    assert "have 36 nvidia.com/gpu of 'training'" in reported


def test_more_memory_than_the_nodes_have_is_refused() -> None:
    assert "memory_gib: got 9000.0 GiB of memory; expected at most " in of_quota(
        accelerators=8, memory_gib=9000
    )


def test_a_cycle_of_cohorts_is_refused_with_its_members() -> None:
    cohorts = [{"name": "a", "parent": "b"}, {"name": "b", "parent": "c"}, {"name": "c", "parent": "a"}]
    reported = problems(cohorts=cohorts, queues=[])
    assert reported[0] == "QueuesArgs.cohorts[0].parent: got 'b', which closes the cycle a -> b -> c -> a"
    assert len(reported) == 3


def test_a_cohort_that_leads_into_a_cycle_is_not_reported_for_it() -> None:
    cohorts = [{"name": "a", "parent": "b"}, {"name": "b", "parent": "b"}]
    assert one(cohorts=cohorts, queues=[]) == (
        "QueuesArgs.cohorts[1].parent: got 'b', which closes the cycle b -> b"
    )


def test_an_unknown_pool_is_refused_with_the_nearest() -> None:
    assert one(queues=[queue("vision", {"pool": "trainin", "accelerators": 8})]) == (
        "QueuesArgs.queues[0].quotas[0].pool: got 'trainin'; expected one of general, training; did you "
        "mean 'training'?"
    )


def test_a_topology_of_an_unknown_pool_is_refused() -> None:
    assert "QueuesArgs.topologies.trainin: got 'trainin'; expected one of general, training" in one(
        topologies={"trainin": "host"}
    )


def test_a_topology_on_a_pool_that_may_be_empty_is_refused() -> None:
    assert one(gpu_pools=[gpu_pool(min_nodes=0)], topologies={"training": "network"}) == (
        "QueuesArgs.topologies.training: got 'network', but the pool may be empty: with a topology Kueue "
        "counts the nodes that exist, and no node is added for a workload that waits; expected as many "
        "nodes at least as at most, a pool of queued capacity, or no topology"
    )


def test_a_topology_on_a_pool_that_may_grow_is_refused() -> None:
    reported = one(gpu_pools=[gpu_pool(min_nodes=2)], topologies={"training": "network"})
    assert "the pool has 2 to 4 nodes" in reported


def test_a_topology_on_queued_capacity_is_accepted() -> None:
    example.settings(gpu_pools=[queued_pool()], queues=[], topologies={"queued": "network"})


def test_a_topology_of_the_network_needs_labels() -> None:
    reported = one(gpu_pools=[gpu_pool(topology_labels=[])], topologies={"training": "network"})
    assert "the cloud does not label the machines of this pool; expected 'host', or no topology" in reported


def test_pools_of_one_topology_have_the_same_labels() -> None:
    pools = [gpu_pool(), gpu_pool(name="other", topology_labels=["example.com/rack"])]
    reported = one(gpu_pools=pools, topologies={"training": "network", "other": "network"})
    assert "QueuesArgs.topologies.other" in reported


def test_borrowing_by_priority_is_refused_with_fair_sharing() -> None:
    preemption = {"borrow_within_cohort": "LowerPriority"}
    queues = [queue("vision", HALF, cohort="research", preemption=preemption)]
    assert one(queues=queues) == (
        "QueuesArgs.queues[0].preemption.borrow_within_cohort: got 'LowerPriority'; expected 'Never' with "
        "fair_sharing, which decides by shares who is evicted"
    )
    example.settings(queues=queues, fair_sharing=False)


def test_borrowing_by_priority_needs_reclaiming() -> None:
    preemption = {"borrow_within_cohort": "LowerPriority", "reclaim_within_cohort": "Never"}
    queues = [queue("vision", HALF, cohort="research", preemption=preemption)]
    assert "expected 'Never' where reclaim_within_cohort is" in one(queues=queues, fair_sharing=False)


def test_a_threshold_without_borrowing_by_priority_is_refused() -> None:
    queues = [queue("vision", HALF, preemption={"max_priority_threshold": 5})]
    assert "max_priority_threshold: got 5; expected none" in one(queues=queues)


@pytest.mark.parametrize("key", ["borrow", "lend"])
def test_a_limit_without_a_cohort_is_refused(key: str) -> None:
    queues = [queue("vision", {**HALF, key: 8})]
    assert (
        one(queues=queues) == f"QueuesArgs.queues[0].quotas[0].{key}: got 8; expected none without a cohort"
    )


def test_a_limit_of_a_cohort_needs_a_parent() -> None:
    cohorts = [{"name": "research", "quotas": [{**HALF, "borrow": 8}]}]
    assert "cohorts[0].quotas[0].borrow: got 8; expected none without a parent" in one(
        cohorts=cohorts, queues=[]
    )


def test_lending_more_than_the_quota_is_refused() -> None:
    assert "lend: got 17; expected at most the quota, which is 16" in of_quota(accelerators=16, lend=17)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"queues": [queue("a", HALF), queue("a", HALF)]},
            "QueuesArgs.queues[1].name: got 'a', which duplicates queues[0]",
        ),
        (
            {"cohorts": [{"name": "research"}, {"name": "research"}]},
            "QueuesArgs.cohorts[1].name: got 'research', which duplicates cohorts[0]",
        ),
        (
            {"priorities": [{"name": "a", "value": 1}, {"name": "a", "value": 2}]},
            "QueuesArgs.priorities[1].name: got 'a', which duplicates priorities[0]",
        ),
        (
            {"gpu_pools": [gpu_pool(), gpu_pool()]},
            "QueuesArgs.gpu_pools[1].name: got 'training', which is another pool's, too",
        ),
        (
            {"node_pools": [cpu_pool(name="training")], "queues": []},
            "QueuesArgs.gpu_pools[0].name: got 'training', which is another pool's, too",
        ),
        (
            {"queues": [queue("a", HALF, HALF)]},
            "QueuesArgs.queues[0].quotas[1].pool: got 'training', which another quota of queues[0] states, "
            "too",
        ),
        (
            {
                "queues": [
                    queue("a", HALF, local_queues=[{"namespace": "vision"}]),
                    queue("b", HALF, local_queues=[{"namespace": "vision"}]),
                ]
            },
            "QueuesArgs.queues[1].local_queues[0].name: got 'default', which queues[0].local_queues[0] is "
            "in namespace 'vision', too; expected another name",
        ),
        (
            {"queues": [queue("a", HALF, cohort="reserach")]},
            "QueuesArgs.queues[0].cohort: got 'reserach', which is no cohort; expected one of research; "
            "did you mean 'research'?",
        ),
        (
            {"queues": [queue("a", {"pool": "training", "cpu": 8})]},
            "QueuesArgs.queues[0].quotas[0].accelerators: missing; expected a number of nvidia.com/gpu",
        ),
        (
            {"queues": [queue("a", {"pool": "general", "accelerators": 8, "cpu": 8})]},
            "QueuesArgs.queues[0].quotas[0].accelerators: got 8; expected cpu: 'general' is a pool without "
            "accelerators",
        ),
        (
            {"queues": [queue("a", {"pool": "general", "memory_gib": 8})]},
            "QueuesArgs.queues[0].quotas[0].cpu: missing; expected vCPUs of 'general'",
        ),
        (
            {
                "node_pools": [cpu_pool(vcpus_per_node=0, memory_gib_per_node=0)],
                "queues": [queue("a", {"pool": "general", "cpu": 8})],
            },
            "QueuesArgs.queues[0].quotas[0].memory_gib: missing; expected GiB of memory of 'general'",
        ),
        (
            {
                "gpu_pools": [gpu_pool(capacity_types=["spot", "queued"])],
                "queues": [queue("a", HALF)],
            },
            "QueuesArgs.queues[0].quotas[0].pool: got 'training', part of whose capacity is queued; "
            "expected a pool with queued capacity alone: Kueue requests nodes for all of a pool or for "
            "none",
        ),
        (
            {"queues": [queue("a", HALF, weight=2)], "fair_sharing": False},
            "QueuesArgs.queues[0].weight: got 2; expected none without fair_sharing",
        ),
        (
            {"queues": [queue("a", HALF, weight=0.0001)]},
            "QueuesArgs.queues[0].weight: got 0.0001; expected at most three decimal places",
        ),
        (
            {
                "priorities": [
                    {"name": "serving", "value": 5, "serving": True},
                    {"name": "training", "value": 5},
                ]
            },
            "QueuesArgs.priorities[0].value: got 5; expected more than 5, the value of 'training': "
            "training must not evict a model that serves production",
        ),
        (
            {"queues": [queue("Vision", HALF)]},
            "QueuesArgs.queues[0].name: got 'Vision'; expected 1 to 63 lower-case letters, digits and "
            "hyphens (a DNS label)",
        ),
        (
            {"node_pools": [cpu_pool(node_selector={})], "queues": []},
            "QueuesArgs.node_pools[0].node_selector: got {}, of length 0; expected 1 to 8 labels",
        ),
        (
            {"queue": []},
            "QueuesArgs.queue: unknown key; did you mean 'queues'?",
        ),
    ],
)
def test_a_wrong_argument_is_refused(arguments: dict[str, Any], expected: str) -> None:
    assert one(**arguments) == expected


def test_a_pool_with_more_taints_than_a_flavor_can_tolerate_is_refused() -> None:
    taints = [{"key": f"example.com/{index}", "effect": "NoSchedule"} for index in range(9)]
    assert "of length 9; expected 0 to 8 taints" in one(gpu_pools=[gpu_pool(taints=taints)])


def test_a_pool_whose_maximum_is_not_known_yet_is_not_compared() -> None:
    from aiplatform._shared.args import UNKNOWN

    pool = gpu_pool(min_nodes=UNKNOWN, max_nodes=UNKNOWN)
    example.settings(
        gpu_pools=[pool],
        queues=[queue("a", {"pool": "training", "accelerators": 4000})],
        topologies={"training": "network"},
    )
