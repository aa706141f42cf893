"""Instances of Karpenter keep the groups of their pool."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pulumi
import pytest

from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.gpu_pool import GpuPool
from aiplatform.gpu_pool.aws.karpenter_instances import refuse_removed_pools
from tests.components.aiplatform.pools import CLUSTER, NETWORK
from tests.components.recording import Recording, record

T4: dict[str, Any] = {"name": "small", "accelerator": "t4", "count": 1, "node_provisioning": "karpenter"}
H100: dict[str, Any] = {**T4, "name": "big", "accelerator": "h100", "count": 8}
INSTANCES = "aws:ec2/getInstances:getInstances"


def filters(arguments: Mapping[str, Any]) -> dict[str, list[str]]:
    assert set(arguments["instanceStateNames"]) == {"pending", "running", "stopping", "shutting-down"}
    return {entry["name"]: entry["values"] for entry in arguments["filters"]}


def having(answer: Callable[[dict[str, list[str]]], Collection[str]]) -> Mapping[str, Any]:
    """EC2 has the instances that `answer` returns for the filters."""
    return {
        INSTANCES: lambda arguments: {"id": "eu-central-1", "ids": sorted(answer(filters(arguments)))},
    }


def pool(answers: Mapping[str, Any] | None = None, **more: Any) -> Recording:
    arguments: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "network": NETWORK, **more}
    return record(lambda: GpuPool("gpu", arguments), answers=answers)


@pytest.mark.parametrize(
    ("argument", "group", "pattern", "what"),
    [
        ("efa", "instance.group-name", "acme-dev-big-efa-*", "security group of EFA"),
        ("placement_group", "placement-group-name", "gpu-placement-*", "placement group"),
    ],
)
def test_a_group_is_not_removed_while_nodes_of_karpenter_have_it(
    argument: str, group: str, pattern: str, what: str
) -> None:
    def answer(wanted: dict[str, list[str]]) -> list[str]:
        assert wanted["tag:kubernetes.io/cluster/acme-dev-cluster"] == ["owned"], "of this cluster alone"
        assert wanted["tag-key"] == ["karpenter.sh/nodepool"], "node groups are updated by EKS"
        assert wanted["tag:ai-platform/pool"] == ["big"]
        return ["i-1", "i-2"] if wanted.get(group) == [pattern] else []

    change = {"efa": False, "placement_group": True} if argument == "efa" else {"placement_group": False}
    with pytest.raises(pulumi.RunError) as caught:
        pool(having(answer), **H100, **change)
    assert f"pool big: 2 instances of Karpenter still have its {what}" in str(caught.value)
    assert f"expected {argument}: true until the pool has no nodes" in str(caught.value)


def test_groups_that_stay_and_node_groups_are_not_asked_for() -> None:
    assert not [call for call in pool(**H100).calls if call.token == INSTANCES]
    assert not [
        call
        for call in pool(**{**H100, "node_provisioning": "cluster_autoscaler"}, efa=False).calls
        if call.token == INSTANCES
    ], "EKS waits until their nodes are replaced"
    assert len([call for call in pool(**T4).calls if call.token == INSTANCES]) == 2


def removed_pools(pools: Collection[str], instances: Mapping[str, str]) -> Recording:
    """instances: id -> its pool."""

    def answer(wanted: dict[str, list[str]]) -> list[str]:
        names = wanted["tag:ai-platform/pool"]
        return [id_ for id_, name in instances.items() if names == ["*"] or name in names]

    cluster = ClusterReference(name="acme-dev-cluster", security_group_id="sg-1")
    return record(
        lambda: refuse_removed_pools(pools, cluster, pulumi.InvokeOptions()), answers=having(answer)
    )


@pytest.mark.parametrize(("left", "named"), [(["small"], "i-2"), ([], "i-1, i-2")])
def test_a_pool_is_not_removed_before_its_nodes(left: list[str], named: str) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        removed_pools(left, {"i-1": "small", "i-2": "big"})
    assert f"of a pool that was removed: {named}; expected the pool with node_provisioning: cluster_" in str(
        caught.value
    )


def test_pools_of_the_file_may_have_nodes() -> None:
    assert removed_pools(["small", "big"], {"i-1": "small"}).calls, "EC2 is asked"
    assert removed_pools([], {}).calls
