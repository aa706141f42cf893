"""Would this Pod run there? The scheduler's rules, and the packing of new nodes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.kubernetes.cloud_interface import Taint
from twin.kubernetes.quantity import amounts, milli
from twin.kubernetes.scheduling_predicates import (
    Shape,
    admits,
    fill,
    misfits,
    opened,
    overheads,
    pack,
    requests,
    selects,
    tolerates,
)
from twin.tests.kubernetes.builders import pod

GPU_TAINT = Taint("nvidia.com/gpu", "NoSchedule", "true")


def shape(
    labels: dict[str, str] | None = None,
    taints: tuple[Taint, ...] = (),
    resources: dict[str, str] | None = None,
) -> Shape:
    allocatable = {"cpu": "4", "memory": "16Gi", "pods": "10", **(resources or {})}
    return Shape(labels or {}, taints, amounts(allocatable), "node-1")


def gpu_shape(count: int = 8) -> Shape:
    return shape(resources={"nvidia.com/gpu": str(count)})


def test_quantities_are_exact_thousandths() -> None:
    assert milli("100m") == 100
    assert milli("1.5") == 1500
    assert milli("2Gi") == 2 * 1024**3 * 1000
    assert milli("0.0001") == 1, "the API server rounds up what is finer than a thousandth"
    with pytest.raises(ValueError, match="is no Kubernetes quantity"):
        milli("eight")


def test_sidecars_count_beside_the_containers_and_init_containers_by_their_peak() -> None:
    init = [
        {"name": "a", "resources": {"requests": {"cpu": "1"}}},
        {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}},
        {"name": "b", "resources": {"requests": {"cpu": "3"}}},
    ]
    wanted = requests(pod(requests={"cpu": "1"}, initContainers=init))
    assert wanted["cpu"] == 3500, "b runs with the sidecar, and that is more than main and sidecar"
    assert wanted["pods"] == 1000


def test_limits_stand_for_requests_that_are_left_out_and_overhead_is_added() -> None:
    one = pod(overhead={"cpu": "250m"})
    one["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": "1", "cpu": "1"}}
    assert requests(one) == {"nvidia.com/gpu": 1000, "cpu": 1250, "pods": 1000}


def test_a_gpu_pod_fits_only_where_the_gpus_are() -> None:
    wants = pod(requests={"nvidia.com/gpu": "1"})
    assert misfits(wants, shape()) == ["Insufficient nvidia.com/gpu"]
    assert misfits(wants, gpu_shape()) == []


def test_a_taint_keeps_off_whoever_does_not_tolerate_it() -> None:
    there = shape(taints=(GPU_TAINT, Taint("soft", "PreferNoSchedule")))
    assert misfits(pod(), there) == ["node(s) had untolerated taint {nvidia.com/gpu: true}"]
    assert misfits(pod(tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}]), there) == []


@pytest.mark.parametrize(
    ("toleration", "covered"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "value": "true"}, True),
        ({"key": "nvidia.com/gpu", "value": "false"}, False),
        ({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"value": "true"}, False),
    ],
)
def test_a_toleration_covers_a_taint_as_the_scheduler_says(toleration: dict[str, str], covered: bool) -> None:
    assert tolerates([toleration], GPU_TAINT) is covered


def affinity(*terms: list[dict[str, Any]]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"key": "zone", "operator": "In", "values": ["a", "b"]}, True),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "none", "operator": "NotIn", "values": ["a"]}, True),
        ({"key": "zone", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "DoesNotExist"}, False),
        ({"key": "gpus", "operator": "Gt", "values": ["4"]}, True),
        ({"key": "gpus", "operator": "Lt", "values": ["8"]}, False),
        ({"key": "zone", "operator": "Gt", "values": ["4"]}, False),
        ({"key": "zone", "operator": "Near", "values": ["a"]}, False),
    ],
)
def test_node_affinity_knows_every_operator(expression: dict[str, Any], holds: bool) -> None:
    there = shape({"zone": "a", "gpus": "8"})
    assert selects(pod(affinity=affinity([expression])), there) is holds


def test_affinity_terms_are_alternatives_and_an_empty_one_matches_nothing() -> None:
    there = shape({"zone": "a"})
    wrong = [{"key": "zone", "operator": "In", "values": ["b"]}]
    right = [{"key": "zone", "operator": "Exists"}]
    assert selects(pod(affinity=affinity(wrong, right)), there)
    assert not selects(pod(affinity=affinity([])), there)
    assert not selects(pod(nodeSelector={"zone": "b"}), there)


def test_a_cordoned_node_takes_nobody() -> None:
    there = Shape({}, (), amounts({"cpu": "4", "pods": "5"}), unschedulable=True)
    assert misfits(pod(), there) == ["node(s) were unschedulable"]


def test_pods_that_avoid_each_other_get_a_node_each() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "serve"}}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    replicas = [pod(f"serve-{n}", labels={"app": "serve"}, affinity=apart) for n in range(3)]
    count, placed, _ = pack(replicas, shape(), 10)
    assert (count, len(placed)) == (3, 3)


def test_eight_gpu_pods_of_one_share_a_node_and_a_ninth_needs_a_second() -> None:
    pods = [pod(f"p{n}", requests={"nvidia.com/gpu": "1"}) for n in range(9)]
    assert pack(pods[:8], gpu_shape(), 10)[0] == 1
    assert pack(pods, gpu_shape(), 10)[0] == 2
    count, placed, _ = pack(pods, gpu_shape(), 1)
    assert (count, len(placed)) == (1, 8), "the limit holds, and what is left has no place"


def test_daemonset_pods_take_their_share_of_a_new_node() -> None:
    template = {"metadata": {}, "spec": pod(requests={"cpu": "1"})["spec"]}
    elsewhere = {"metadata": {}, "spec": {**template["spec"], "nodeSelector": {"gpu": "yes"}}}
    sets = [{"spec": {"template": one}} for one in (template, elsewhere)]
    overhead = overheads(sets, shape())
    assert len(overhead) == 1, "a DaemonSet that does not belong on the node takes nothing"
    assert opened(shape(), overhead).free["cpu"] == 3000
    assert misfits(pod(requests={"cpu": "4"}), shape(), opened(shape(), overhead).free) == [
        "Insufficient cpu"
    ]


def test_a_daemonset_runs_on_a_node_that_is_not_ready() -> None:
    there = shape(taints=(Taint("node.kubernetes.io/not-ready", "NoSchedule"),))
    template = {"metadata": {}, "spec": pod()["spec"]}
    assert overheads([{"spec": {"template": template}}], there)


sizes = st.builds(
    lambda cpu, memory, gpu: {"cpu": f"{cpu}m", "memory": f"{memory}Mi", "nvidia.com/gpu": str(gpu)},
    st.integers(0, 5000),
    st.integers(0, 20000),
    st.integers(0, 9),
)


@settings(max_examples=60)
@given(st.lists(sizes, max_size=14), st.integers(0, 5))
def test_packing_never_overfills_a_node_nor_loses_a_pod_that_fits(
    wanted: list[dict[str, str]], limit: int
) -> None:
    pods = [pod(f"p{n}", requests=size) for n, size in enumerate(wanted)]
    count, placed, bins = pack(pods, gpu_shape(), limit)
    assert count == len(bins) <= limit
    assert all(value >= 0 for node in bins for value in node.free.values()), "no node holds more than it has"
    assert sorted(p["metadata"]["name"] for node in bins for p in node.pods) == sorted(
        p["metadata"]["name"] for p in placed
    ), "each Pod is on one node"
    left = [item for item in pods if item not in placed]
    for item in left:
        assert count == limit or misfits(item, gpu_shape()), (
            "who fits an empty node is left out by the limit only"
        )
        assert not any(admits(node, item) for node in bins), "no Pod is left out where there is room"
    assert all(node.pods for node in bins), "no node is asked for in vain"


@settings(max_examples=60)
@given(st.lists(sizes, max_size=12), st.integers(0, 4))
def test_who_was_packed_finds_a_place_on_these_nodes_again(wanted: list[dict[str, str]], limit: int) -> None:
    # The next loop of the autoscaler fills the nodes that come with the same Pods: had it none left over,
    # it asks for no more.
    pods = [pod(f"p{n}", requests=size) for n, size in enumerate(wanted)]
    count, placed, bins = pack(pods, gpu_shape(), limit)
    again = [p for node in bins for p in node.pods]
    assert fill(again, [opened(gpu_shape()) for _ in range(count)]) == []
    assert len(again) == len(placed)
